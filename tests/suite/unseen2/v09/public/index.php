<?php
declare(strict_types=1);

$wanted = $_GET['lang'] ?? 'en';
if ($wanted !== 'en') {
    $known = ['de' => 'de_DE.UTF-8', 'nb' => 'nb_NO.UTF-8'];
    if (!isset($known[$wanted]) || setlocale(LC_ALL, $known[$wanted]) === false) {
        http_response_code(406);
        exit("no such language\n");
    }
    bindtextdomain('menu', __DIR__ . '/../locale');
    textdomain('menu');
}

header('Content-Type: text/plain; charset=utf-8');
$db = new PDO('sqlite:' . __DIR__ . '/../var/menu.db');
foreach ($db->query('SELECT name, price FROM dish ORDER BY price') as $dish) {
    $name = mb_convert_case(gettext($dish['name']), MB_CASE_TITLE);
    printf("%s %s\n", $name, number_format($dish['price'] / 100, 2));
}

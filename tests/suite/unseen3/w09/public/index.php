<?php

declare(strict_types=1);

use Telegraph\Office\Page;
use Telegraph\Ticker\Ticker;

require __DIR__ . '/../vendor/autoload.php';

$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));

if ($path === '/') {
    Page::show('desk', ['line' => Ticker::fromFile(__DIR__ . '/../prices.json')->line()]);
} elseif (preg_match('~^/send/(.+)$~', $path, $found)) {
    Page::show('telegram', ['text' => mb_strtoupper($found[1]), 'morse' => morse_encode($found[1])]);
} elseif (is_file(__DIR__ . $path)) {
    return false;
} else {
    Page::show('closed', ['path' => $path], 404);
}

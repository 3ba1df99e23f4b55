<?php

declare(strict_types=1);

namespace Telegraph\Office;

final class Page
{
    public static function show(string $template, array $values, int $status = 200): void
    {
        http_response_code($status);
        header('Content-Type: text/html; charset=utf-8');
        extract($values);
        require __DIR__ . "/../templates/$template.php";
    }
}

<?php

require __DIR__ . '/../vendor/autoload.php';

$line = Tides\Table::read(__DIR__ . '/../tides.json')->line($_GET['harbour'] ?? '');
http_response_code($line === null ? 404 : 200);
header('Content-Type: text/plain; charset=utf-8');
echo $line ?? 'no such harbour', "\n";

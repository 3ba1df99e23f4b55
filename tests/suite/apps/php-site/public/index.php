<?php
$recipes = require __DIR__ . "/../cache.php";
$name = $_GET["name"] ?? "soup";
echo $recipes[$name] ?? "unknown";

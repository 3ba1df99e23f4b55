<?php
file_put_contents("cache.php", "<?php return " . var_export(json_decode(file_get_contents("recipes.json"), true), true) . ";");

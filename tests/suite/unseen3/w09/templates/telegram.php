<h1><?= htmlspecialchars($text) ?></h1><code><?= $morse ?></code>

<h1>No counter <?= htmlspecialchars($path) ?></h1>

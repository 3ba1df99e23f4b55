<p class="ticker"><?= htmlspecialchars($line) ?></p>

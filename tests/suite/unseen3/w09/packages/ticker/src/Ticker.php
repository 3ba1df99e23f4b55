<?php

declare(strict_types=1);

namespace Telegraph\Ticker;

final class Ticker
{
    public function __construct(private array $prices)
    {
    }

    public static function fromFile(string $file): self
    {
        return new self(json_decode(file_get_contents($file), true, flags: JSON_THROW_ON_ERROR));
    }

    public function line(): string
    {
        ksort($this->prices);
        return implode(' ', array_map(fn ($name, $price) => "$name $price", array_keys($this->prices), $this->prices));
    }
}

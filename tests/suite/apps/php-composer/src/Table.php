<?php

namespace Tides;

final class Table
{
    /** @param array<string, list<string>> $times */
    public function __construct(private array $times)
    {
    }

    public static function read(string $file): self
    {
        return new self(json_decode(file_get_contents($file), true));
    }

    public function line(string $harbour): ?string
    {
        $times = $this->times[mb_strtolower($harbour)] ?? null;
        return $times === null ? null : mb_convert_case($harbour, MB_CASE_TITLE) . ': ' . implode(', ', $times);
    }
}

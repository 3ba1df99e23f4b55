import { readFileSync } from "fs";
import path from "path";

export interface Harbour {
  metres: number;
  high: string[];
}

export function load(root: string): Record<string, Harbour> {
  return JSON.parse(readFileSync(path.join(root, "tides.json"), "utf8"));
}

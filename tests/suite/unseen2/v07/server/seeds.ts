export interface Seed {
  name: string;
  days: number;
}

export const byName = (a: Seed, b: Seed): number => a.name.localeCompare(b.name);

import { readFile } from "node:fs/promises";
import path from "node:path";
import Fastify from "fastify";
import files from "@fastify/static";
import { byName, type Seed } from "./seeds";

const seeds: Seed[] = JSON.parse(await readFile(path.resolve("data/seeds.json"), "utf8"));
const app = Fastify({ logger: false });

await app.register(files, { root: path.resolve("dist/public") });

app.get("/api/seeds", async () => [...seeds].sort(byName));
app.get<{ Params: { name: string } }>("/api/seeds/:name", async (request, reply) => {
  const found = seeds.find((seed) => seed.name === request.params.name);
  return found ?? reply.code(404).send({ error: "unknown seed" });
});

await app.listen({ host: "0.0.0.0", port: Number(process.env.PORT ?? 4173) });
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void app.close());

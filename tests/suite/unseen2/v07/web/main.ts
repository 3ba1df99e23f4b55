import type { Seed } from "../server/seeds";
import "./style.scss";

const list = document.querySelector("#seeds")!;
const seeds: Seed[] = await (await fetch("/api/seeds")).json();
for (const seed of seeds) {
  const item = document.createElement("li");
  item.textContent = `${seed.name} sprouts in ${seed.days} days`;
  list.append(item);
}

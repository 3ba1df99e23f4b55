import { countdown } from "./countdown";

for (const cell of document.querySelectorAll<HTMLElement>("[data-time]")) {
  cell.title = countdown(cell.dataset.time ?? "00:00", new Date());
}

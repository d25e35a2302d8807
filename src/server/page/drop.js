// A file that is dragged over the page may be dropped anywhere on it.
import { $ } from "./dom.js";

export function dropping(onFiles) {
  let depth = 0;
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const veil = (shown) => {
    $("drop-veil").hidden = !shown;
  };
  addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    depth += 1;
    veil(true);
  });
  addEventListener("dragleave", (event) => {
    if (!holdsFiles(event)) return;
    depth -= 1;
    if (depth <= 0) veil(false);
  });
  addEventListener("dragover", (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    veil(false);
    if (event.dataTransfer.files.length > 0) onFiles([...event.dataTransfer.files]);
  });
}

// The menu of downloads: a disclosure that also closes by Escape, by a click beside it, and after a choice.
import { $ } from "./dom.js";

const menu = $("downloads");
const close = () => {
  menu.open = false;
};

addEventListener("click", (event) => {
  if (!menu.contains(event.target) || event.target.closest("a")) close();
});
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  event.stopPropagation();
  close();
  menu.querySelector("summary").focus();
});

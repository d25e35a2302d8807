// The privacy officer's and the auditor's report of the audit log.
import { $ } from "./dom.js";

const DAYS = 30;

/** A day as Hong Kong has it, so many days from now. */
const day = (from) => new Date(Date.now() + 8 * 3600000 + from * 86400000).toISOString().slice(0, 10);

/** Shows the card, with links for the days that are chosen. */
export function show() {
  [$("watch-from").value, $("watch-to").value] = [day(-DAYS), day(0)];
  $("watch-form").addEventListener("input", links);
  $("watch-form").addEventListener("submit", (event) => event.preventDefault());
  links();
  $("watch").hidden = false;
}

function links() {
  const days = new URLSearchParams({ from: $("watch-from").value, to: $("watch-to").value });
  for (const link of $("watch-forms").children) link.href = `/v1/reports/organisation?${days}&format=${link.dataset.format}`;
}

// The page: which view is shown, and how its parts are tied together.
import * as api from "./api.js";
import "./clinic.js";
import { confirm, ERASING } from "./confirm.js";
import { Copies } from "./copy.js";
import { Visits } from "./visits.js";
import { $ } from "./dom.js";
import { dropping } from "./drop.js";
import { language, onLanguage, setLanguage, show, t } from "./i18n.js";
import { Home } from "./home.js";
import { keepsSoundFor } from "./kept.js";
import "./menu.js";
import { announce, dismiss, dismissAll, notice } from "./notices.js";
import { explain, RecordingsView } from "./recordings.js";
import { Recording } from "./recording.js";
import { view } from "./turn.js";
import { Worklist } from "./worklist.js";

const visits = new Visits({ open: (id) => go(id), changed: () => void (current() === "" && watch()), chosen: () => overtake() });
const home = new Home({ permit, start: (chosen) => recording.record(chosen), file: (file) => void readFile(file) });
const worklist = new Worklist({ open: (id) => go(id), choose: (banner) => visits.choose(banner), removed: (id) => visits.encounter === id && visits.choose(null) });
const recordings = new RecordingsView({ open: (id) => go(id), resume: (id) => resume(id) });
const page = { home: () => go(""), shown: (id) => address(id), enter: () => enterRoom(), taken: () => visits.choose(null) };
const recording = new Recording(page, visits);
new Copies(() => recording.desk.desk?.form ?? recording.note.note);

/** The address names the recording shown, so that loading the page again comes back to it. Ids say nothing of a patient. */
function address(id) {
  if (current() !== id) history.replaceState(null, "", id ? `#${encodeURIComponent(id)}` : location.pathname);
}

/** The turn of something new: what was just being opened is not waited for, and the address is that of what is shown. */
function overtake() {
  const turn = view.take();
  address(recording.id ?? "");
  return turn;
}

/** The chosen visit where it may be recorded, `banner` being null where nobody is chosen; null where it may not be. */
async function permit() {
  const still = overtake();
  const { chosen } = visits;
  const banner = chosen && (await visits.agree(chosen));
  return chosen && !banner ? null : { banner, still };
}

const current = () => decodeURIComponent(location.hash.slice(1));

function go(id) {
  if (current() === id) void route();
  else location.hash = encodeURIComponent(id);
}

async function readFile(file) {
  if (visits.refused) {
    notice("file", "bad", "visit.refused_file");
    return;
  }
  const permitted = await permit();
  if (permitted) void recording.read(file, home.spoken, permitted);
}

function watch() {
  void recordings.watch();
  void worklist.watch();
}

/** The next patient who waits: this, and Start. */
async function next() {
  const turn = overtake();
  try {
    const waiting = await worklist.next();
    if (!turn() || !enterHome()) return;
    if (waiting) visits.choose({ patient: waiting.patient, encounter: waiting.encounter });
    else await visits.ask();
  } catch (error) {
    if (turn()) notice("open", "bad", "plain", { why: () => explain(error) });
  }
}

async function resume(id) {
  if (!recording.busy && (await recording.open(id))) await recording.resume();
}

async function route() {
  const id = current();
  if (recording.busy) {
    // A recording that runs is not left by a click: it is finished or cancelled.
    address(recording.id ?? "");
    return;
  }
  if (recording.id === id && id !== "") {
    view.end();
    return;
  }
  dismissAll();
  if (id === "" || (await recording.open(id)) === false) enterHome();
}

/** Shows the first view; false where what is shown is kept. */
function enterHome() {
  if (!recording.leave()) return false;
  address("");
  $("room").hidden = true;
  $("home").hidden = false;
  document.body.dataset.view = "home";
  void home.enter();
  watch();
  void look();
  return true;
}

function enterRoom() {
  home.leave();
  recordings.rest();
  worklist.rest();
  $("home").hidden = true;
  $("room").hidden = false;
  document.body.dataset.view = "room";
}

/** What the server is and can do. */
async function look() {
  try {
    const status = await api.status();
    dismiss("server");
    $("trial").hidden = !status.trial;
    $("to-account").hidden = status.trial;
    $("to-account").textContent = status.clinician.name;
    home.setLanguages(status.languages);
    keepsSoundFor(status.keep_sound_hours);
    if (status.disk_low) notice("disk", "bad", "error.disk_low");
    else dismiss("disk");
  } catch (error) {
    notice("server", "bad", "plain", { why: () => explain(error) });
  }
}

for (const tag of ["zh", "en"]) $(`language-${tag}`).addEventListener("click", () => setLanguage(tag));
onLanguage(() => {
  for (const tag of ["zh", "en"]) $(`language-${tag}`).setAttribute("aria-pressed", String(language() === tag));
});
$("brand").addEventListener("click", (event) => {
  event.preventDefault();
  go("");
});
$("to-recordings").addEventListener("click", () => {
  go("");
  if (!recording.busy) $("earlier-title").focus();
});
addEventListener("hashchange", route);
addEventListener("beforeunload", (event) => {
  if (recording.unsafe || recording.dirty) event.preventDefault();
});
dropping((files) => {
  if (files.length > 1) notice("file", "bad", "file.many");
  else if (recording.busy) notice("file", "bad", "file.busy");
  else void readFile(files[0]);
});
$("next").addEventListener("click", () => void next());
$("cancel").addEventListener("click", async () => {
  if (!(await confirm(ERASING))) return;
  await recording.erase(() => {
    if (recording.id === null) enterHome();
    notice("erased", "good", "cancel.done");
    announce(t("cancel.done"));
  });
});

show();
home.setLanguages([]);
void look();
void route();

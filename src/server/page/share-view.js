// A shared note that is open: the page of the server, and the socket that says when it is over. Without the socket nothing is shown.
import * as api from "./api.js";
import { $, button } from "./dom.js";
import { has, t } from "./i18n.js";

let socket = null;
let shown = null;
/** Until when a try to print is one that is kept already: page and frame each hear of the same one, and of what we print ourselves. */
let keptUntil = 0;
const ONE_TRY = 1000;

function over(reason) {
  $("viewer-page").src = "about:blank";
  $("viewer-page").hidden = true;
  $("viewer-tools").replaceChildren();
  $("viewer-over").textContent = has(`sharing.reason.${reason}`) ? t(`sharing.reason.${reason}`) : t("sharing.reason.error");
  shown = null;
}

/** Shows a view that the server has opened; the page is loaded once the socket stands, so that no end is missed. */
export function open({ view }) {
  close();
  const mine = new WebSocket(api.viewSocket(view));
  [socket, shown] = [mine, view];
  mine.onopen = () => {
    if (shown !== view) return;
    $("viewer").hidden = false;
    $("viewer-over").textContent = "";
    $("viewer-page").hidden = false;
    $("viewer-page").src = api.viewPage(view);
    tools(view);
    $("viewer").scrollIntoView({ block: "start" });
  };
  mine.onmessage = ({ data }) => shown === view && over(JSON.parse(data).reason);
  mine.onclose = () => shown === view && over("closed");
}

/** Does something else than reading with a view. Whether that may be the server says, and keeps that it was tried. */
async function use(view, name, done) {
  try {
    await done(await api.useView(view, name));
  } catch (error) {
    $("viewer-over").textContent = has(`sharing.code.${error.code}`) ? t(`sharing.code.${error.code}`) : t("sharing.reason.error");
  }
}

/** The browser's own command to print: what may not be printed is blank on paper, and that it was tried is kept once. */
function tried() {
  if (shown === null || performance.now() < keptUntil) return;
  keptUntil = performance.now() + ONE_TRY;
  void use(shown, "print", () => {});
}

/** Prints a copy, whose pictures name the entry of its print: they take the place of those that are shown. */
async function print(copy) {
  const { document: page } = $("viewer-page").contentWindow;
  // Its look is there already, and may stand in no page of ours.
  const marked = new DOMParser().parseFromString(copy.replace(/<style>[^<]*<\/style>/, ""), "text/html");
  page.title = marked.title;
  page.body.replaceChildren(...[...marked.querySelectorAll("svg.sheet")].map((sheet) => page.adoptNode(sheet)));
  await Promise.all([...page.querySelectorAll("image")].map((image) => image.decode?.()));
  keptUntil = Infinity;
  page.defaultView.print();
  keptUntil = performance.now() + ONE_TRY;
}

function tools(view) {
  const save = (page) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([page], { type: "text/html" }));
    link.download = "note.html";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  $("viewer-tools").replaceChildren(
    button(t("sharing.print"), () => void use(view, "print", print), { class: "small", data: { use: "print" } }),
    button(t("sharing.download"), () => void use(view, "download", save), { class: "small", data: { use: "download" } }),
    button(t("sharing.forward"), () => void use(view, "forward", save), { class: "small", data: { use: "forward" } }),
    button(t("sharing.close"), close, { class: "small" }),
  );
}

addEventListener("beforeprint", tried);
$("viewer-page").addEventListener("load", () => $("viewer-page").contentWindow.addEventListener("beforeprint", tried));

export function close() {
  shown = null;
  socket?.close();
  socket = null;
  $("viewer").hidden = true;
  $("viewer-page").src = "about:blank";
}

// A shared note that is open: the page of the server, and the socket that says when it is over. Without the socket nothing is shown.
import * as api from "./api.js";
import { $, button } from "./dom.js";
import { has, t } from "./i18n.js";

let socket = null;
let shown = null;

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

/** What else may be done with it the server says, and keeps that it was tried. */
function tools(view) {
  const use = (name, done) => async () => {
    try {
      done(await api.useView(view, name));
    } catch (error) {
      $("viewer-over").textContent = has(`sharing.code.${error.code}`) ? t(`sharing.code.${error.code}`) : t("sharing.reason.error");
    }
  };
  const save = (page) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([page], { type: "text/html" }));
    link.download = "note.html";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  $("viewer-tools").replaceChildren(
    button(t("sharing.print"), use("print", () => $("viewer-page").contentWindow.print()), { class: "small" }),
    button(t("sharing.download"), use("download", save), { class: "small" }),
    button(t("sharing.close"), close, { class: "small" }),
  );
}

export function close() {
  shown = null;
  socket?.close();
  socket = null;
  $("viewer").hidden = true;
  $("viewer-page").src = "about:blank";
}

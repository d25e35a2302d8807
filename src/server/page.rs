//! The page, which is in the binary: no build step, and no file of it is fetched from anywhere else.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

/// Only what this server sends is run, shown or asked; nothing may frame the page. Sound may come from a `blob:`, which is how the page
/// asks a dropped file for its length.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self' blob:; frame-src 'self'; \
    worker-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The page may use the microphone and keep the screen lit, and nothing else that a browser asks its user for.
const PERMISSIONS: &str = "microphone=(self), screen-wake-lock=(self), camera=(), geolocation=(), payment=(), usb=(), display-capture=(), \
    publickey-credentials-get=(self), publickey-credentials-create=(self)";

/// A file of the page.
struct Asset {
    name: &'static str,
    content: &'static [u8],
    /// Quoted, as the header has it.
    tag: String,
}

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("page/", $name)).as_slice())),*]
    };
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let files = assets![
        "accounts-api.js",
        "accounts.css",
        "accounts.html",
        "accounts.js",
        "admin.js",
        "agree.js",
        "api.js",
        "app.js",
        "backlog.js",
        "banner.js",
        "capture-worklet.js",
        "chooser.js",
        "clinic.css",
        "clinic.js",
        "code-search.js",
        "confirm.js",
        "copy.js",
        "decision.css",
        "desk.js",
        "dom.js",
        "drop.js",
        "emergencies.js",
        "emergency.js",
        "erasures.js",
        "evidence.js",
        "file-problem.js",
        "file.js",
        "findings.js",
        "form.js",
        "history.js",
        "holds.js",
        "home.js",
        "i18n.js",
        "icon.svg",
        "index.html",
        "kept.js",
        "learned.js",
        "letters.js",
        "level.js",
        "menu.js",
        "merge-words.js",
        "merges.js",
        "microphone.js",
        "note-editor.js",
        "note.js",
        "notices.js",
        "numbers.js",
        "openid.js",
        "patient-form.js",
        "phrase.js",
        "player.js",
        "problem.js",
        "recording.js",
        "recordings.js",
        "room-view.js",
        "session.js",
        "share-view.js",
        "sharing.css",
        "sharing.html",
        "sharing.js",
        "sign.js",
        "socket.js",
        "strings-en.js",
        "strings-zh.js",
        "style.css",
        "tabs.js",
        "theme.css",
        "transcript.js",
        "turn.js",
        "view.css",
        "visits.css",
        "visits.js",
        "wake.js",
        "watch.js",
        "wav.js",
        "webauthn.js",
        "worklist.js",
    ];
    files.into_iter().map(|(name, content)| Asset { name, content, tag: tag(content) }).collect()
});

/// A tag that changes with the content.
fn tag(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    let digits: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// `GET /` and `GET /assets/*`. Needs no state: a page is the same for everyone.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(|headers: HeaderMap| async move { answer("index.html", &headers) }))
        .route("/sharing", get(|headers: HeaderMap| async move { answer("sharing.html", &headers) }))
        .route("/accounts", get(|headers: HeaderMap| async move { answer("accounts.html", &headers) }))
        .route("/assets/{name}", get(|Path(name): Path<String>, headers: HeaderMap| async move { answer(&name, &headers) }))
}

fn answer(name: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return (StatusCode::NOT_FOUND, "there is no such file").into_response();
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = match known {
        Some(tags) if tags.split(',').any(|known| known.trim() == asset.tag) => StatusCode::NOT_MODIFIED.into_response(),
        _ => asset.content.into_response(),
    };
    let sent = response.headers_mut();
    sent.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    // Asked for again on every visit, and answered with 304: a new binary has its own page at once.
    sent.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&asset.tag) {
        sent.insert(header::ETAG, tag);
    }
    sent.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    sent.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    sent.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    sent.insert(header::HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS));
    response
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn text(asset: &Asset) -> &'static str {
        std::str::from_utf8(asset.content).unwrap()
    }

    fn get(name: &str, known: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(known) = known {
            headers.insert(header::IF_NONE_MATCH, known.parse().unwrap());
        }
        answer(name, &headers)
    }

    #[test]
    fn every_file_of_the_folder_is_served_and_no_other() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/page");
        let there: BTreeSet<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let served: BTreeSet<String> = ASSETS.iter().map(|asset| asset.name.to_owned()).collect();
        assert_eq!(served, there);
        assert_eq!(get("none.js", None).status(), StatusCode::NOT_FOUND);
        assert_eq!(get("../mod.rs", None).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn what_the_page_loads_is_its_own_and_is_there() {
        let served: BTreeSet<&str> = ASSETS.iter().map(|asset| asset.name).collect();
        for asset in ASSETS.iter() {
            let content = text(asset);
            for name in content.split("from \"./").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(served.contains(name), "{} imports {name}", asset.name);
            }
            for name in content.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(served.contains(name), "{} loads {name}", asset.name);
            }
            if !asset.name.ends_with(".svg") && !asset.name.starts_with("strings-") {
                assert!(!content.contains("http://") && !content.contains("https://"), "{} names a foreign address", asset.name);
            }
            for unsafe_sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "console."] {
                assert!(!content.contains(unsafe_sink), "{} uses {unsafe_sink}", asset.name);
            }
        }
    }

    /// The keys of a file of texts, in order.
    fn keys(name: &str) -> Vec<&'static str> {
        let asset = ASSETS.iter().find(|asset| asset.name == name).unwrap();
        text(asset).lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\": ").map(|(key, _)| key)).collect()
    }

    /// What a text leaves open, like `{name}`.
    fn blanks(line: &str) -> BTreeSet<&str> {
        line.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
    }

    #[test]
    fn both_languages_have_the_same_texts_with_the_same_blanks() {
        assert_eq!(keys("strings-en.js"), keys("strings-zh.js"));
        let lines = |name| text(ASSETS.iter().find(|asset| asset.name == name).unwrap()).lines();
        for (english, chinese) in lines("strings-en.js").zip(lines("strings-zh.js")) {
            assert_eq!(blanks(english), blanks(chinese), "{english}");
        }
    }

    #[test]
    fn every_text_that_the_page_names_is_there() {
        let known: BTreeSet<&str> = keys("strings-en.js").into_iter().collect();
        for asset in ASSETS.iter().filter(|asset| !asset.name.starts_with("strings-")) {
            let content = text(asset);
            for start in ["t(\"", "data-t=\"", "data-t-label=\"", "notice(\"", "FileProblem(\"", "MicrophoneProblem(\""] {
                // `closest("` names no text.
                let whole = |at: usize| !content[..at].ends_with(|c: char| c.is_alphanumeric());
                for (at, _) in content.match_indices(start).filter(|(at, _)| whole(*at)) {
                    let rest = &content[at + start.len()..];
                    let key = if start == "notice(\"" { rest.split('"').nth(4) } else { rest.split('"').next() };
                    let Some(key) = key.filter(|key| key.contains('.')) else { continue };
                    assert!(known.contains(key), "{} names the text {key}", asset.name);
                }
            }
        }
    }

    #[test]
    fn the_page_runs_only_its_own_scripts_and_is_asked_for_again() {
        let response = get("index.html", None);
        let headers = response.headers();
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let tag = headers[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(get("index.html", Some(&tag)).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(get("index.html", Some("\"old\"")).status(), StatusCode::OK);
        let index = ASSETS.iter().find(|asset| asset.name == "index.html").map(text).unwrap();
        assert!(!index.contains("style=") && !index.contains("onclick"), "the policy forbids what stands in attributes");
    }
}

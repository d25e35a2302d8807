//! The description of this server's interface, made from the addresses themselves: none can be served that is not in it.

use axum::Json;
use utoipa::openapi::{Info, License, OpenApi, OpenApiBuilder};

/// Where it is served.
pub(super) const PATH: &str = "/openapi.json";

/// The document without its addresses.
pub(super) fn head() -> OpenApi {
    let mut info = Info::new("cantoscribe", env!("CARGO_PKG_VERSION"));
    info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    info.license = Some(License::new(env!("CARGO_PKG_LICENSE")));
    OpenApiBuilder::new().info(info).build()
}

/// `GET /openapi.json`
pub(super) async fn show(document: OpenApi) -> Json<OpenApi> {
    Json(document)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::{Path, PathBuf};

    /// The name under which a type is described, if it is: that of `schema(as = NAME)`, or its own.
    fn described(declaration: &str) -> Option<&str> {
        let (derived, rest) = declaration.split_once(")]")?;
        let (attributes, own) = ["struct ", "enum "].iter().find_map(|kind| rest.split_once(kind))?;
        let named = attributes.split_once("schema(as = ").map_or(own, |(_, named)| named);
        derived.contains("ToSchema").then(|| named.split(|c: char| !c.is_alphanumeric()).next()).flatten()
    }

    /// Two types under one name are one in the document, and one of them described as the other.
    #[test]
    fn no_two_types_have_one_name() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server")];
        let mut known: HashMap<String, PathBuf> = HashMap::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                for name in source.split("#[derive(").skip(1).filter_map(described) {
                    let other = known.insert(name.to_owned(), path.clone());
                    assert!(other.is_none(), "`{name}` is in {} and in {other:?}", path.display());
                }
            }
        }
        assert!(known.len() > 50, "only {} types were found", known.len());
    }

    /// `docs/openapi.json` is what is served; with `CANTOSCRIBE_WRITE_SNAPSHOTS` set it is written instead.
    #[test]
    fn the_document_is_the_one_in_docs() {
        let (_, document) = super::super::interface().split_for_parts();
        let served = document.to_pretty_json().unwrap() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
        if std::env::var_os("CANTOSCRIBE_WRITE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &served).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = kept.lines().zip(served.lines()).position(|(kept, served)| kept != served);
        assert!(kept == served, "differs from line {differs:?} on: CANTOSCRIBE_WRITE_SNAPSHOTS=1 cargo test openapi writes it");
    }
}

//! The certificate of TLS: given, or made by a local authority for a trial among several machines.

use std::fs;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints,
};
use rustls::ServerConfig;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::ServerError;

/// How long a generated certificate holds. Apple's systems refuse certificates of private authorities that hold over 825 days.
const DAYS: i64 = 800;
/// A generated certificate is replaced at the first start within so many days of its end.
const SPARE_DAYS: i64 = 30;

/// Where the server's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// From files in PEM: the certificate with those that vouch for it, and its private key.
    Given {
        /// The certificates, the server's first.
        chain: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// Made here, and kept in this folder for the next start. Its authority's certificate (`authority.pem`) is for the machines that are
    /// to trust it; the authority's key is forgotten at once, so that it never vouches for anything else.
    Generated {
        /// The folder.
        folder: PathBuf,
        /// DNS names and addresses.
        names: Vec<String>,
    },
}

/// What a generated certificate is for.
#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Made {
    names: Vec<String>,
    /// Seconds since 1970-01-01T00:00:00Z.
    ends: i64,
}

impl Certificate {
    /// Reads or makes it, for `rustls`.
    ///
    /// # Errors
    /// [`ServerError::Certificate`] names the file that cannot be read, is no PEM, or whose key is not the certificate's.
    pub async fn load(&self) -> Result<RustlsConfig, ServerError> {
        let (chain, key) = match self {
            Self::Given { chain, key } => (chain.clone(), key.clone()),
            Self::Generated { folder, names } => generated(folder, names)?,
        };
        // Which of the two files it is shows when each is read alone.
        for file in [&chain, &key] {
            let text = fs::read(file).map_err(failed(file))?;
            if !String::from_utf8_lossy(&text).contains("-----BEGIN ") {
                return Err(failed(file)(io::Error::new(io::ErrorKind::InvalidData, "it is no PEM")));
            }
        }
        let config = RustlsConfig::from_pem_file(&chain, &key).await.map_err(failed(&chain))?;
        // HTTP/2 has no `Host`, by which foreign requests are told, and a browser's socket would need a connection of its own all the same.
        let mut config = ServerConfig::clone(&config.get_inner());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(RustlsConfig::from_config(Arc::new(config)))
    }

    /// The authority's certificate, for the machines that are to trust a generated one.
    #[must_use]
    pub fn authority(&self) -> Option<PathBuf> {
        match self {
            Self::Given { .. } => None,
            Self::Generated { folder, .. } => Some(folder.join("authority.pem")),
        }
    }
}

fn failed(file: &Path) -> impl FnOnce(io::Error) -> ServerError + '_ {
    move |source| ServerError::Certificate { file: file.to_owned(), source }
}

/// The files of a certificate for these names that holds for a while.
fn generated(folder: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), ServerError> {
    let (chain, key, made) = (folder.join("chain.pem"), folder.join("key.pem"), folder.join("made.json"));
    let now = OffsetDateTime::now_utc();
    let kept = fs::read(&made).ok().and_then(|text| serde_json::from_slice::<Made>(&text).ok());
    let holds = kept.is_some_and(|made| made.names == names && made.ends > (now + Duration::days(SPARE_DAYS)).unix_timestamp());
    if holds && chain.exists() && key.exists() {
        return Ok((chain, key));
    }
    let end = now + Duration::days(DAYS);
    let pems = make(names, now, end).map_err(|error| failed(folder)(io::Error::other(error)))?;
    fs::create_dir_all(folder).map_err(failed(folder))?;
    // What says that they are whole goes first and comes last.
    fs::remove_file(&made)
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
        .map_err(failed(&made))?;
    keep(&folder.join("authority.pem"), &pems.authority)?;
    keep(&chain, &pems.chain)?;
    keep(&key, &pems.key)?;
    let written = Made { names: names.to_vec(), ends: end.unix_timestamp() };
    keep(&made, &serde_json::to_string(&written).map_err(|error| failed(&made)(error.into()))?)?;
    Ok((chain, key))
}

struct Pems {
    authority: String,
    chain: String,
    key: String,
}

/// An authority that may vouch for these names alone (RFC 5280 section 4.2.1.10), and their certificate.
fn make(names: &[String], begin: OffsetDateTime, end: OffsetDateTime) -> Result<Pems, rcgen::Error> {
    let begin = begin - Duration::days(1);
    let subtree = |name: &String| match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => GeneralSubtree::IpAddress(CidrSubnet::V4(address.octets(), [0xff; 4])),
        Ok(IpAddr::V6(address)) => GeneralSubtree::IpAddress(CidrSubnet::V6(address.octets(), [0xff; 16])),
        Err(_) => GeneralSubtree::DnsName(name.clone()),
    };
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, "cantoscribe local authority");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let constraints = NameConstraints { permitted_subtrees: names.iter().map(subtree).collect(), excluded_subtrees: Vec::new() };
    params.name_constraints = Some(constraints);
    (params.not_before, params.not_after) = (begin, end);
    let authority_key = KeyPair::generate()?;
    let authority = params.self_signed(&authority_key)?;
    let issuer = Issuer::new(params, authority_key);

    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.push(DnType::CommonName, "cantoscribe");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (begin, end);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Pems { authority: authority.pem(), chain: certificate.pem() + &authority.pem(), key: key.serialize_pem() })
}

/// Writes a file that its owner alone can read.
fn keep(file: &Path, text: &str) -> Result<(), ServerError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(file).map_err(failed(file))?;
    open.write_all(text.as_bytes()).and_then(|()| open.sync_all()).map_err(failed(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_generated_certificate_is_kept_and_another_name_has_another() {
        let folder = tempfile::tempdir().unwrap();
        let generated = |names: &[&str]| Certificate::Generated {
            folder: folder.path().join("tls"),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let first = generated(&["clinic.example", "192.0.2.7"]);
        first.load().await.unwrap();
        let authority = fs::read(first.authority().unwrap()).unwrap();
        first.load().await.unwrap();
        assert_eq!(fs::read(first.authority().unwrap()).unwrap(), authority);
        generated(&["other.example"]).load().await.unwrap();
        assert_ne!(fs::read(first.authority().unwrap()).unwrap(), authority);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join("tls/key.pem")).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }

    #[tokio::test]
    async fn what_is_no_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let made = Certificate::Generated { folder: at("tls"), names: vec!["clinic.example".into()] };
        made.load().await.unwrap();
        let given = |chain: &Path, key: &Path| Certificate::Given { chain: chain.to_owned(), key: key.to_owned() };
        let (chain, key) = (at("tls/chain.pem"), at("tls/key.pem"));
        given(&chain, &key).load().await.unwrap();
        fs::write(at("empty.pem"), "").unwrap();
        for (chain, key, named) in [
            (&at("none.pem"), &key, "none.pem"),
            (&at("empty.pem"), &key, "empty.pem"),
            (&chain, &at("empty.pem"), "empty.pem"),
            (&key, &chain, "key.pem"),
        ] {
            let error = given(chain, key).load().await.err().unwrap();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}

//! `cantoscribe serve`: the page, the socket and the data folder behind them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;

use super::data::MasterArguments;
use super::hear::{Ear, HearArguments};
use super::open_files;
use super::terminology::lexicon;
use crate::engine::Engine;
use crate::fonts;
use crate::gateway::{self, Gateways};
use crate::openid::{self, Provider};
use crate::room::Token;
use crate::server::{Certificate, Entrance, Network, Retention, ServerError, Settings, Started, serve};
use crate::store::{DatabaseUrl, EndedShares, Opening, Store};

/// The folders of recordings and notes below the XDG data directory: of trials, and of what is served with sign-in.
pub(super) const TRIAL: &str = "trial";
pub(super) const CLINIC: &str = "clinic";

/// Fewer characters can be guessed.
const SHORTEST_TOKEN: usize = 16;

/// Arguments of `cantoscribe serve`.
#[derive(Args)]
pub struct ServeArguments {
    /// One built-in clinician without sign-in, on a loopback address only: for trying things, not for patients
    #[arg(long)]
    trial: bool,
    /// The https:// address that browsers see; without it people sign in on this machine alone. Without a certificate something else makes TLS there and hands requests on to --addr
    #[arg(long, value_name = "URL", conflicts_with = "trial")]
    public_url: Option<String>,
    /// Make TLS with this certificate, PEM, followed by those that vouch for it
    #[arg(long, value_name = "FILE", requires = "tls_key", requires = "public_url", conflicts_with = "tls_local")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Make TLS with a certificate of a local authority, which is made in the data folder: browsers believe it once its authority.pem is installed
    #[arg(long, requires = "public_url")]
    tls_local: bool,
    /// Believe the X-Forwarded-For of this proxy, or of those in this network (10.0.0.0/8, fd00::/8), for the addresses in the audit log; may be said more than once
    #[arg(long, value_name = "IP[/BITS]", requires = "public_url")]
    trusted_proxy: Vec<Network>,
    /// Connections that may be open at once, half of them of one address that is no trusted proxy's
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    connections: u32,
    /// Answer /metrics to whoever sends the token in this file (Authorization: Bearer), and to nobody else [default: to programs of this machine, for whom no proxy asks]
    #[arg(long, value_name = "FILE")]
    metrics_token: Option<PathBuf>,
    /// Where to serve
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Folder of recordings and notes, sealed [default: cantoscribe/trial or cantoscribe/clinic in the XDG data directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep recordings and notes in this PostgreSQL, postgres://USER@HOST/NAME, instead of in the folder; the password may be in ~/.pgpass
    #[arg(long, value_name = "URL")]
    database: Option<DatabaseUrl>,
    /// Bring the PostgreSQL to this version's form where it is older: it was saved before. A SQLite is copied first by the program itself
    #[arg(long, requires = "database")]
    saved: bool,
    #[command(flatten)]
    master: MasterArguments,
    /// Begin no new recording when less than so many MiB of the disk are free: room for those that run
    #[arg(long, value_name = "MIB", default_value_t = 512)]
    keep_free: u64,
    /// Rooms that may be open at once [default: as many as keep up at the speed that is measured]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rooms: Option<u16>,
    /// Refuse an uploaded recording of more than so many MiB
    #[arg(long, value_name = "MIB", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=4096))]
    max_upload: u64,
    /// Send patients' messages, and the audit log as it grows, by the gateways of this file (TOML, with [sms], [mail], [webhook], [syslog] and [[witness]]); without [sms] and [mail] a trial shows messages on its page of sharing
    #[arg(long, value_name = "FILE")]
    gateways: Option<PathBuf>,
    /// Let people sign in at the OpenID Connect issuers of this file too (TOML, with [[provider]]), once they bound themselves to what they are there
    #[arg(long, value_name = "FILE", conflicts_with = "trial")]
    openid: Option<PathBuf>,
    /// Erase sound so many hours after its note was signed; words, note and record stay
    #[arg(long, value_name = "HOURS", default_value_t = 72)]
    keep_sound: u32,
    /// Hours after its end for which a share stays as it was
    #[arg(long, value_name = "HOURS", default_value_t = 72)]
    share_cooling: u32,
    /// What becomes then of what it kept of its own: messages, telephone numbers, open pages
    #[arg(long, value_name = "POLICY", default_value = "archive", value_parser = ["archive", "destroy"])]
    ended_shares: String,
    #[command(flatten)]
    hear: HearArguments,
}

impl ServeArguments {
    /// The certificate that was asked for: given, or for the host of this address.
    fn certificate(&self, url: &str, data: &Path) -> Option<Certificate> {
        if let (Some(chain), Some(key)) = (&self.tls_certificate, &self.tls_key) {
            return Some(Certificate::Given { chain: chain.clone(), key: key.clone() });
        }
        let host = url.trim_start_matches("https://").trim_end_matches('/');
        // The port, and the brackets of an IPv6 address, are no part of the name.
        let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.contains(']') { host } else { name });
        let names = vec![name.trim_matches(['[', ']']).to_owned()];
        self.tls_local.then(|| Certificate::Generated { folder: data.join("tls"), names })
    }
}

/// Runs `cantoscribe serve`.
///
/// # Errors
/// A model, a data folder or an address that cannot be used.
pub fn run(arguments: &ServeArguments, models_folder: &Path) -> anyhow::Result<ExitCode> {
    let data = data_folder(arguments.data.clone(), if arguments.trial { TRIAL } else { CLINIC })?;
    let entrance = match &arguments.public_url {
        _ if arguments.trial => Entrance::Trial,
        Some(url) => Entrance::Public { url: url.clone(), certificate: arguments.certificate(url, &data) },
        None => Entrance::Local,
    };
    let protected = matches!(entrance, Entrance::Public { .. }) || arguments.addr.ip().is_loopback();
    if !protected {
        let error = if arguments.trial { ServerError::NotLoopback } else { ServerError::Unprotected };
        eprintln!("cantoscribe: {}", error(arguments.addr));
        return Ok(ExitCode::from(2));
    }
    let authority = match &entrance {
        Entrance::Public { certificate: Some(certificate), .. } => certificate.authority(),
        _ => None,
    };
    if let Err(error) = fonts::look() {
        eprintln!("cantoscribe: WARNING: {error}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the server")?;
    runtime.block_on(async {
        let (database, master, saved) = (arguments.database.clone(), arguments.master.source(), arguments.saved);
        let store = Store::open_with(&Opening { data: data.clone(), database, master, saved }).await?;
        let engine = open_engine(&arguments.hear, models_folder)?;
        if let Some(rooms) = arguments.rooms {
            engine.fix_rooms(usize::from(rooms));
        }
        let lexicon = Arc::new(lexicon()?);
        let keep_free = arguments.keep_free.saturating_mul(1 << 20);
        let longest_upload = arguments.max_upload << 20;
        let gateways = arguments.gateways.as_deref().map(|file| Gateways::new(gateway::Settings::read(file)?)).transpose()?;
        let openid = arguments.openid.as_deref().map(|file| Provider::all(openid::Settings::read(file)?)).transpose()?;
        let proxies = arguments.trusted_proxy.clone();
        let metrics = arguments.metrics_token.as_deref().map(token_in).transpose()?;
        let ended_shares = if arguments.ended_shares == "destroy" { EndedShares::Destroy } else { EndedShares::Archive };
        let (sound_hours, share_hours) = (arguments.keep_sound, arguments.share_cooling);
        let settings = Settings {
            address: arguments.addr,
            entrance,
            store,
            engine,
            lexicon,
            keep_free,
            longest_upload,
            gateways,
            openid: openid.unwrap_or_default(),
            proxies,
            connections: open_files::room_for(arguments.connections),
            metrics,
            retention: Retention { sound_hours, share_hours, ended_shares },
        };
        let ready = |started| {
            if arguments.trial { say_trial(started) } else { say_ready(started, authority) }
        };
        serve(settings, ready, interrupted()).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The token in a file, without the end of its line.
fn token_in(file: &Path) -> anyhow::Result<Token> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let token = text.trim();
    if token.len() < SHORTEST_TOKEN || token.chars().any(|c| !c.is_ascii_graphic()) {
        bail!("`{}` holds no token: {SHORTEST_TOKEN} letters, digits or signs of ASCII at least, and no space", file.display());
    }
    Ok(Token::from_client(token.to_owned()))
}

fn say_trial(started: Started) {
    let Started { address, .. } = started;
    eprintln!("A trial without sign-in, for this machine alone. Open http://{address}/ in a browser; Ctrl-C ends it.");
}

/// The link of the first administrator is told here and nowhere else, and works once.
fn say_ready(started: Started, authority: Option<PathBuf>) {
    let Started { origin, set_up, .. } = started;
    eprintln!("Open {origin}/ in a browser; Ctrl-C ends it.");
    if let Some(authority) = authority {
        let authority = authority.display();
        eprintln!(
            "Its certificate is of a local authority. Passkeys need one that the browser believes: install {authority} as a root there."
        );
    }
    if let Some(link) = set_up {
        eprintln!("There is no administrator yet. Whoever opens this link first, within a day, becomes it:\n{link}");
    }
}

/// The folder that was named, or the default of this name.
///
/// # Errors
/// When none was named and there is no home.
pub(super) fn data_folder(named: Option<PathBuf>, usual: &str) -> anyhow::Result<PathBuf> {
    let default = || directories::ProjectDirs::from("", "", "cantoscribe").map(|folders| folders.data_dir().join(usual));
    match named.or_else(default) {
        Some(folder) => Ok(folder),
        None => bail!("no folder for the recordings: set HOME, or name one with --data"),
    }
}

/// The models that were asked for, and the worker that runs them.
///
/// # Errors
/// A model that is not installed or does not run.
pub(super) fn open_engine(hear: &HearArguments, models_folder: &Path) -> anyhow::Result<Arc<Engine>> {
    let models = Ear::open(hear, models_folder)?.into_models()?;
    Ok(tokio::task::block_in_place(|| Engine::start(models))?)
}

/// Completes when the program is asked to end.
async fn interrupted() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminated) => {
                terminated.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

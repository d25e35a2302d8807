//! A real PostgreSQL, from Debian's package, for the tests of one process: in a temporary folder, gone when the process is.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// In every URL that a test has, so that a test can look whether anything shows it.
pub const PASSWORD: &str = "not-to-be-shown";

pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// While this is open the server runs.
    _alive: ChildStdin,
}

/// Folder of the newest version's programs.
pub fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    programs.filter(|programs| programs.join("initdb").exists()).max()
}

/// The server of this process, started when it is first asked for.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(start)
}

impl Server {
    /// URL of a new, empty database.
    pub fn new_database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut create = Command::new(self.programs.join("createdb"));
        create.args(["--host=127.0.0.1", "--username=tests", "--port", &self.port.to_string(), &name]);
        let output = create.env("PGPASSWORD", PASSWORD).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        format!("postgres://tests:{PASSWORD}@127.0.0.1:{}/{name}", self.port)
    }
}

/// The shell ends the server and removes the folder when its standard input ends, however this process ends.
const SHELL: &str = r#"
cd "$1" && umask 077 && echo "$4" > password &&
"$2/initdb" --pgdata=data --username=tests --auth=scram-sha-256 --pwfile=password --encoding=UTF8 --no-sync > log 2>&1 &&
"$2/postgres" -D data -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off >> log 2>&1 &
cat > /dev/null
kill -INT $! && wait
rm -rf "$1"/* && rmdir "$1"
"#;

#[expect(clippy::zombie_processes, reason = "the shell outlives the tests: it ends when its standard input does")]
fn start() -> Server {
    let programs = programs().expect("Debian's package `postgresql`");
    // Nobody else takes it: the system gives a port again only after all others.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap().keep();
    let mut shell = Command::new("sh");
    shell.args(["-c", SHELL, "sh"]).arg(&folder).arg(&programs).args([&port.to_string(), PASSWORD]);
    if let Some((user, group)) = other_user(&folder) {
        chown(&folder, Some(user), Some(group)).unwrap();
        shell.uid(user).gid(group);
    }
    let mut shell = shell.stdin(Stdio::piped()).process_group(0).spawn().unwrap();
    let server = Server { programs, folder, port, _alive: shell.stdin.take().unwrap() };
    let begin = Instant::now();
    while !server.is_ready() {
        let log = std::fs::read_to_string(server.folder.join("log")).unwrap_or_default();
        assert!(begin.elapsed() < Duration::from_secs(120), "PostgreSQL does not start: {log}");
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

impl Server {
    fn is_ready(&self) -> bool {
        let mut ask = Command::new(self.programs.join("pg_isready"));
        ask.args(["--quiet", "--host=127.0.0.1", "--port", &self.port.to_string()]).status().unwrap().success()
    }
}

/// PostgreSQL does not run as root: whom it runs as instead.
fn other_user(folder: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    if std::fs::metadata(folder).unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("a user `postgres`");
    let number = |field| line.split(':').nth(field).unwrap().parse().unwrap();
    Some((number(2), number(3)))
}

/// Everything that the tables of this database have on the disk.
pub async fn tables(pool: &sqlx::AnyPool) -> Vec<u8> {
    sqlx::raw_sql("CHECKPOINT").execute(pool).await.unwrap();
    let number = sqlx::query_scalar::<_, i64>("SELECT oid::bigint FROM pg_database WHERE datname = current_database()");
    let number = number.fetch_one(pool).await.unwrap();
    let files = std::fs::read_dir(server().folder.join("data/base").join(number.to_string())).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

/// A connection that sees the database as it is now for as long as it is held.
pub async fn snapshot(url: &str) -> sqlx::PgConnection {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class";
    sqlx::raw_sql(begin).execute(&mut connection).await.unwrap();
    connection
}

/// Ends all connections to a database.
pub async fn cut(url: &str) {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let others =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::raw_sql(others).execute(&mut connection).await.unwrap();
}

//! PostgreSQL clusters of one's own: a primary and streaming standbys in a temporary directory, for
//! the demo and for the scenarios in `tests`, which include this file by its path.
//!
//! The server's own programs do the work; the standard library is all that this needs. Each server
//! runs under a shell that waits for the end of its standard input. That end comes when the server
//! is dropped and when this process dies, however it dies; the shell then stops the server.
//! PostgreSQL refuses to run as root, so root starts it as another user. Durability is switched off:
//! nothing here is meant to survive.

mod programs;

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use programs::{
    User, become_user, new_directory, other, own, own_directory, run, unprivileged, write,
};

pub use programs::Programs;

/// The superuser of every cluster; only its socket's owner and root reach it.
pub const SUPERUSER: &str = "postgres";
/// The port that names the socket's file.
pub const SOCKET_PORT: u16 = 5432;
/// For a server to start, to stop or to catch up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between looks at a server that is not ready.
const LOOK_AGAIN: Duration = Duration::from_millis(15);

/// Stops the server when standard input ends, and removes what belongs to it. `$1` is the program,
/// `$2` its log, `$3` what to remove; the rest are the program's arguments. Somebody may still be
/// writing there, a backup that the server was giving: it ends with the server.
const KEEPER: &str = r#"
    program=$1 log=$2 whole=$3; shift 3
    "$program" "$@" </dev/null >"$log" 2>&1 &
    server=$!
    cat >/dev/null
    kill -QUIT $server 2>/dev/null
    wait $server
    rm -rf "$whole" 2>/dev/null || { sleep 1; rm -rf "$whole"; }
    exit 0
"#;

/// A server's certificate and key; with them it also listens on a loopback port, for TLS only.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Its certificate, PEM.
    pub certificate_pem: String,
    /// Its private key, PEM.
    pub key_pem: String,
}

/// How a server is reached besides its socket.
#[derive(Debug, Clone)]
pub enum Network {
    /// Not at all.
    None,
    /// On a loopback port, without TLS.
    Plain,
    /// On a loopback port, with TLS only.
    Tls(Certificate),
}

/// A primary, and the directory that its standbys are in, too.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    base: PathBuf,
    user: Option<User>,
    standbys: AtomicU32,
    primary: Server,
}

impl Cluster {
    /// Starts a new primary. It takes about two seconds.
    ///
    /// # Errors
    /// What the server's programs said.
    pub fn start(programs: Programs) -> io::Result<Self> {
        let base = new_directory()?;
        let user = unprivileged(&base)?;
        own(&base, user)?;
        let home = own_directory(&base.join("primary"), user)?;
        let data = home.join("data");
        let mut initdb = Command::new(programs.path("initdb"));
        initdb.args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-U",
            SUPERUSER,
        ]);
        run(initdb.arg("-D").arg(&data), user, "")?;
        write(&data.join("pg_hba.conf"), HBA, user)?;
        let primary = Server::start(&programs, home, base.clone(), user, &Network::None)?;
        Ok(Self { programs, base, user, standbys: AtomicU32::new(0), primary })
    }

    /// The primary.
    #[must_use]
    pub fn primary(&self) -> &Server {
        &self.primary
    }

    /// Starts a standby that streams from the primary, from a base backup of this moment.
    ///
    /// # Errors
    /// What the server's programs said.
    pub fn standby(&self, network: &Network) -> io::Result<Server> {
        let n = self.standbys.fetch_add(1, Ordering::Relaxed);
        let home = own_directory(&self.base.join(format!("standby{n}")), self.user)?;
        let mut backup = Command::new(self.programs.path("pg_basebackup"));
        backup.args(["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf"]);
        backup.args(["--no-sync", "-U", SUPERUSER, "-h"]).arg(&self.primary.home);
        backup.args(["-p", &SOCKET_PORT.to_string(), "-D"]).arg(home.join("data"));
        run(&mut backup, self.user, "")?;
        let standby = Server::start(&self.programs, home.clone(), home, self.user, network)?;
        self.catch_up(&standby)?;
        Ok(standby)
    }

    /// Waits until the standby has replayed everything that the primary has written so far.
    ///
    /// # Errors
    /// What the servers said, or that it takes too long.
    pub fn catch_up(&self, standby: &Server) -> io::Result<()> {
        let written = self.primary.sql("postgres", "SELECT pg_current_wal_flush_lsn()")?;
        let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{}'", written.trim());
        until("the standby to catch up", || {
            Ok(standby.sql("postgres", &replayed).is_ok_and(|answer| answer.trim() == "t"))
        })
    }
}

/// Local connections are trusted: the socket's directory is closed to others. Over the network, a
/// password.
const HBA: &str = "local all all trust\nlocal replication all trust\n\
                   host all all 127.0.0.1/32 scram-sha-256\n";

/// A running server. Dropping it stops it and removes its files.
#[derive(Debug)]
pub struct Server {
    programs: Programs,
    home: PathBuf,
    /// What goes when it goes: for a primary, everything.
    whole: PathBuf,
    user: Option<User>,
    port: Option<u16>,
    keeper: Option<(Child, ChildStdin)>,
}

impl Server {
    fn start(
        programs: &Programs,
        home: PathBuf,
        whole: PathBuf,
        user: Option<User>,
        network: &Network,
    ) -> io::Result<Self> {
        let port = match network {
            Network::None => None,
            // Free a moment ago; whoever takes it meanwhile makes the start fail, not lie.
            Network::Plain | Network::Tls(_) => {
                Some(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
            }
        };
        if let Network::Tls(Certificate { certificate_pem, key_pem }) = network {
            write(&home.join("data/server.crt"), certificate_pem, user)?;
            write(&home.join("data/server.key"), key_pem, user)?;
            let hba = HBA.replace("host ", "hostssl ");
            write(&home.join("data/pg_hba.conf"), &hba, user)?;
        }
        let programs = programs.clone();
        let mut server = Self { programs, home, whole, user, port, keeper: None };
        server.launch(matches!(network, Network::Tls(_)))?;
        Ok(server)
    }

    fn launch(&mut self, tls: bool) -> io::Result<()> {
        let mut keeper = Command::new("/bin/sh");
        keeper.args(["-c", KEEPER, "keeper"]);
        keeper.arg(self.programs.path("postgres")).arg(self.home.join("log")).arg(&self.whole);
        keeper.arg("-D").arg(self.home.join("data"));
        let socket = format!("unix_socket_directories={}", self.home.display());
        let listen = if self.port.is_some() { "127.0.0.1" } else { "" };
        let settings = [
            socket,
            format!("listen_addresses={listen}"),
            format!("port={}", self.port.unwrap_or(SOCKET_PORT)),
            format!("ssl={}", if tls { "on" } else { "off" }),
            "fsync=off".into(),
            "shared_buffers=32MB".into(),
            "max_connections=60".into(),
            "wal_level=replica".into(),
            "max_wal_senders=8".into(),
            "wal_keep_size=128MB".into(),
            "hot_standby=on".into(),
            "wal_retrieve_retry_interval=200ms".into(),
            "log_statement=all".into(),
        ];
        for setting in settings {
            keeper.arg("-c").arg(setting);
        }
        // A group of its own: an interrupt at the terminal reaches us, and us only.
        keeper.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        become_user(&mut keeper, self.user);
        let mut child = keeper.spawn()?;
        let stdin = child.stdin.take().ok_or_else(|| other("the keeper has no input"))?;
        self.keeper = Some((child, stdin));
        let ready = until("the server to start", || Ok(self.sql("postgres", "SELECT 1").is_ok()));
        ready.map_err(|e| other(format!("{e}; its log ends: {}", self.log_end())))
    }

    /// The directory of its socket.
    #[must_use]
    pub fn socket_directory(&self) -> &Path {
        &self.home
    }

    /// The port of its socket and, if it listens there, of 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(SOCKET_PORT)
    }

    /// What it has logged, every statement included.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(self.home.join("log"))?).into_owned())
    }

    fn log_end(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }

    /// Runs SQL as the superuser, stops at the first error; gives the rows, unaligned.
    ///
    /// # Errors
    /// What `psql` said.
    pub fn sql(&self, database: &str, sql: &str) -> io::Result<String> {
        let mut psql = Command::new(self.programs.path("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", SUPERUSER]);
        psql.arg("-h").arg(&self.home).args(["-p", &self.port().to_string(), "-d", database]);
        run(&mut psql, self.user, sql)
    }

    /// Makes a standby a primary.
    ///
    /// # Errors
    /// What the server said.
    pub fn promote(&self) -> io::Result<()> {
        self.sql("postgres", "SELECT pg_promote()").map(drop)
    }

    /// Sends a signal to the processes whose statements of this application run.
    ///
    /// # Errors
    /// What the server said.
    pub fn signal_sessions(&self, application: &str, signal: &str) -> io::Result<()> {
        let pids = format!(
            "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity \
             WHERE state = 'active' AND application_name = '{application}'"
        );
        let pids = self.sql("postgres", &pids)?;
        let mut kill = Command::new("/bin/sh");
        kill.args(["-c", "kill -$0 $1", signal, pids.trim()]);
        run(&mut kill, self.user, "").map(drop)
    }

    /// Sends a signal to its first process, which starts all others.
    ///
    /// # Errors
    /// When it has none.
    pub fn signal(&self, signal: &str) -> io::Result<()> {
        let pid = fs::read_to_string(self.home.join("data/postmaster.pid"))?;
        let pid = pid.lines().next().unwrap_or_default();
        let mut kill = Command::new("/bin/sh");
        run(kill.args(["-c", "kill -$0 $1", signal, pid]), self.user, "").map(drop)
    }

    /// Kills a process of it, after which it ends every session and recovers.
    ///
    /// # Errors
    /// What the server said.
    pub fn crash(&self) -> io::Result<()> {
        let writer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'background writer'";
        let killed = self.sql("postgres", writer)?;
        let mut kill = Command::new("/bin/sh");
        run(kill.args(["-c", "kill -KILL $0", killed.trim()]), self.user, "")?;
        until("the server to recover", || {
            let now = self.sql("postgres", writer).unwrap_or_default();
            Ok(!now.trim().is_empty() && now != killed)
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((mut keeper, stdin)) = self.keeper.take() {
            drop(stdin);
            // Whatever the keeper says, the server is gone when it ends.
            let _ = keeper.wait();
        }
    }
}

/// Looks until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let started = Instant::now();
    while !is_so()? {
        if started.elapsed() > PATIENCE {
            return Err(other(format!("waited too long for {what}")));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

//! The folder of a measured site: its config and its store.

use std::fmt::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use tempfile::TempDir;

/// The syllables that words of titles begin with.
const SYLLABLES: [&str; 5] = ["ba", "ka", "mi", "ti", "vo"];

pub struct Site {
    folder: TempDir,
    pub config: PathBuf,
    /// The ports of the public address and of the admin address.
    pub port: u16,
    pub admin: u16,
}

impl Site {
    /// Writes a config with these feeds. The first two sections take every story; the others select stories by words of
    /// the title.
    pub fn new(urls: &[String], sections: usize) -> anyhow::Result<Site> {
        let folder = tempfile::tempdir()?;
        let (port, admin) = (free_port()?, free_port()?);
        let mut toml = format!(
            "[site]\ntitle = \"A benchmark\"\n[server]\nlisten = \"127.0.0.1:{port}\"\nadmin = \"127.0.0.1:{admin}\"\n\
             [store]\npath = \"newswire.db\"\n[poll]\nallow = [\"127.0.0.0/8\"]\nschedule = \"every 1 hour\"\n"
        );
        for number in 0..sections {
            let id = if number == 0 { "all".to_owned() } else { format!("s{number}") };
            write!(toml, "[[section]]\nid = \"{id}\"\ntitle = \"Section {number}\"\nfeeds = [\"*\"]\nlimit = 100\n")?;
            if number > 1 {
                let words = |digit: usize| SYLLABLES[number / digit % SYLLABLES.len()];
                writeln!(toml, "keep = [{{ title = \"{}{}\" }}]", words(1), words(5))?;
            }
        }
        for (number, url) in urls.iter().enumerate() {
            writeln!(toml, "[[feed]]\nid = \"feed{number}\"\nurl = \"{url}\"")?;
        }
        let config = folder.path().join("newswire.toml");
        std::fs::write(&config, toml)?;
        Ok(Site { folder, config, port, admin })
    }

    /// Adds a section with these feeds.
    pub fn add_section(&self, id: &str, feeds: &[usize]) -> anyhow::Result<()> {
        let (toml, feeds) =
            (std::fs::read_to_string(&self.config)?, feeds.iter().map(|number| format!("feed{number}")));
        let section = format!("[[section]]\nid = \"{id}\"\nfeeds = {:?}\n", feeds.collect::<Vec<_>>());
        Ok(std::fs::write(&self.config, toml + &section)?)
    }

    /// Adds a feed.
    pub fn add_feed(&mut self, url: &str) -> anyhow::Result<()> {
        let toml = std::fs::read_to_string(&self.config)?;
        Ok(std::fs::write(&self.config, format!("{toml}[[feed]]\nid = \"the-added-feed\"\nurl = \"{url}?added\"\n"))?)
    }

    /// Gives one section another rule and title.
    pub fn change_rule(&mut self) -> anyhow::Result<()> {
        let toml = std::fs::read_to_string(&self.config)?;
        let changed =
            toml.replace("title = \"Section 2\"", "title = \"Another title\"").replace("\"miba\"", "\"tiba\"");
        anyhow::ensure!(changed != toml, "the config has no section 2");
        Ok(std::fs::write(&self.config, changed)?)
    }

    /// Returns whether the running daemon has the added feed.
    pub fn has_added_feed(&self) -> anyhow::Result<bool> {
        let store = rusqlite::Connection::open(self.folder.path().join("newswire.db"))?;
        Ok(store.prepare("SELECT 1 FROM feed WHERE id = 'the-added-feed'")?.exists([])?)
    }

    /// Returns the numbers of the feeds that were polled with success.
    pub fn polled(&self) -> anyhow::Result<Vec<usize>> {
        let store = rusqlite::Connection::open(self.folder.path().join("newswire.db"))?;
        let mut statement = store.prepare("SELECT feed - 1 FROM poll WHERE state = 'ok'")?;
        let numbers = statement.query_map([], |row| row.get::<_, i64>(0))?;
        numbers.map(|number| Ok(usize::try_from(number?)?)).collect()
    }

    /// Plans the polls of the feeds evenly over the hour that begins at `begins`, in milliseconds since 1970.
    pub fn plan_evenly(&self, begins: i64, count: usize) -> anyhow::Result<()> {
        let store = rusqlite::Connection::open(self.folder.path().join("newswire.db"))?;
        let sql = "UPDATE poll SET next_poll = ?1 + 3600000 * (feed - 1) / ?2, hold_until = NULL";
        store.execute(sql, rusqlite::params![begins, i64::try_from(count)?])?;
        Ok(())
    }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

//! `newswire search`: full text over the archive.

use std::path::Path;
use std::process::ExitCode;

use super::output::{print, safe};
use super::{Done, load_with_reader};
use crate::store::StoreError;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Words that must all occur
    #[arg(required = true)]
    words: Vec<String>,
    /// How many stories at most
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// An array of objects
    #[arg(long)]
    json: bool,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    let (config, reader) = load_with_reader(config)?;
    let reader = reader.ok_or_else(|| StoreError::Missing(config.store.path.clone()))?;
    let hits = reader.search(&args.words.join(" "), args.limit)?;
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&hits)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for hit in &hits {
        let sections = hit.sections.iter().map(|section| section.as_str()).collect::<Vec<_>>().join(", ");
        let published = hit.published.datetime().with_timezone(&config.site.timezone).format("%Y-%m-%d");
        let link = hit.link.as_ref().map_or("", |link| link.as_str());
        text.push_str(&format!("{published}  {}\n            {}\n", safe(&hit.title), safe(link)));
        text.push_str(&format!("            {}\n", safe(&hit.excerpt)));
        if !sections.is_empty() {
            text.push_str(&format!("            in {sections}\n"));
        }
    }
    if hits.is_empty() {
        text.push_str("nothing was found\n");
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

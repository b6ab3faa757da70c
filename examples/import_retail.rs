//! Takes over a year of somebody else's sales and says what they came to.
//!
//! ```text
//! import_retail PATH [--json] [--times N] [--opening-stock UNITS]
//! import_retail PATH --checkout [--json] [--times N]
//! ```
//!
//! PATH is a file in the layout of the UCI 'Online Retail' set. Every invoice becomes an imported order,
//! every cancellation an imported return that is linked to earlier sales where they match, and every line
//! that is neither is kept with the reason. The figures are then read from the store, not from the file.
//! `--json` prints them as one object; `--times` repeats the file with shifted numbers and dates;
//! `--opening-stock` supplies every product with that many units.
//!
//! `--checkout` enters nothing: it lists what was sold, with opening stock just large enough, fills a cart per
//! sale invoice and takes it through the whole checkout. Prices are set by the staff line by line, contact and
//! address are made up from the invoice's number, and codes of services are products of which no stock is
//! kept. What the orders come to and what is left in stock is read from the store. A line's amount is rounded
//! to pennies, half to even; lines of one SKU and price are one line of the cart.

#[path = "import_retail/mod.rs"]
mod retail;

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Write};
use std::process::ExitCode;
use std::sync::Arc;

use commerce_adapters_memory::{MemoryStore, OsIds, SystemClock, ThreadSleeper};
use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::port::clock::Clock;
use commerce_testkit::fake;
use serde_json::Value;

use retail::Outcome;
use retail::figures::amount;
use retail::plan::Plan;
use retail::replay::{self, Replayed};
use retail::source::RawRow;

type Failure = Box<dyn Error + Send + Sync>;

const USAGE: &str = "usage: import_retail PATH [--checkout] [--json] [--times N] [--opening-stock UNITS]";

/// What was asked for.
#[derive(Default)]
struct Arguments {
    path: Option<String>,
    json: bool,
    checkout: bool,
    times: Option<u32>,
    opening: Option<u32>,
}

fn arguments() -> Result<Arguments, Failure> {
    let mut asked = Arguments::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().ok_or("a number is missing")?.parse::<u32>().map_err(Failure::from);
        match word.as_str() {
            "--json" => asked.json = true,
            "--checkout" => asked.checkout = true,
            "--times" => asked.times = Some(number()?),
            "--opening-stock" => asked.opening = Some(number()?),
            flag if flag.starts_with("--") => return Err(format!("unknown option {flag}").into()),
            _ if asked.path.is_some() => return Err("more than one file".into()),
            _ => asked.path = Some(word),
        }
    }
    if asked.checkout && asked.opening.is_some() {
        return Err("--checkout opens with as much stock as it sells: no --opening-stock".into());
    }
    Ok(asked)
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("import_retail: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let asked = arguments()?;
    let path = asked.path.as_deref().ok_or(USAGE)?;
    let clock = Arc::new(SystemClock);
    let started = clock.now();
    let rows = retail::source::read(BufReader::new(File::open(path)?))?;
    if asked.checkout {
        return checkout(&asked, &rows);
    }
    let platform = Platform {
        clock: clock.clone(),
        sleeper: Arc::new(ThreadSleeper::new(clock.clone())),
        ids: Arc::new(OsIds::new()),
    };
    let shop = Commerce::new(MemoryStore::new(), platform);
    let work = retail::run(&shop, &rows, asked.times.unwrap_or(1), asked.opening);
    let outcome = pollster::block_on(work)?;
    let mut out = std::io::stdout().lock();
    if asked.json {
        writeln!(out, "{:#}", outcome.figures.json())?;
    } else {
        print(&mut out, &outcome)?;
    }
    let took = clock.now().since(started).as_millis();
    let rate = u128::from(outcome.figures.lines) * 1000 / took.max(1);
    eprintln!("{} lines in {took} ms, {rate} lines/s", outcome.figures.lines);
    Ok(())
}

fn checkout(asked: &Arguments, rows: &[RawRow]) -> Result<(), Failure> {
    let clock = fake::Clock::default();
    let shop = replay::shop(MemoryStore::with_clock(Arc::new(clock.clone())), clock);
    let plan = Plan::of(retail::read(rows, asked.times.unwrap_or(1)));
    let replayed = pollster::block_on(replay::run(&shop, plan))?;
    print_replay(&mut std::io::stdout().lock(), &replayed, asked.json)?;
    if replayed.holds() { Ok(()) } else { Err("not everything was sold as it should be".into()) }
}

fn print_replay(out: &mut impl Write, replayed: &Replayed, as_json: bool) -> Result<(), Failure> {
    let figures = replayed.figures();
    if as_json {
        let object: Value = figures.into_iter().collect();
        writeln!(out, "{object:#}")?;
        return Ok(());
    }
    for (name, value) in figures {
        let name = name.replace('_', " ");
        match value {
            Value::Array(lines) => {
                writeln!(out, "{name:<20} {:>16}", lines.len())?;
                for line in &lines {
                    writeln!(out, "  {}", line.as_str().unwrap_or_default())?;
                }
            }
            Value::Object(counts) => {
                writeln!(out, "{name}")?;
                for (reason, count) in counts {
                    writeln!(out, "  {reason:<18} {count:>16}")?;
                }
            }
            Value::String(text) => writeln!(out, "{name:<20} {text:>16}")?,
            other => writeln!(out, "{name:<20} {:>16}", other.to_string())?,
        }
    }
    Ok(())
}

fn print(out: &mut impl Write, outcome: &Outcome) -> Result<(), Failure> {
    let Outcome { entered, oddities, figures } = outcome;
    let json = figures.json();
    let count = |name: &str| json.get(name).map(ToString::to_string).unwrap_or_default();
    writeln!(out, "gross sales          {:>16}", amount(figures.gross))?;
    writeln!(out, "returns              {:>16}", amount(figures.returns))?;
    writeln!(out, "net                  {:>16}", amount(figures.net))?;
    writeln!(out, "invoices             {:>16}", count("invoices"))?;
    writeln!(out, "  with sales         {:>16}", count("sale_invoices"))?;
    writeln!(out, "  with returns       {:>16}", count("return_invoices"))?;
    writeln!(out, "average order value  {:>16}", figures.average_order_value())?;
    writeln!(out, "buyers               {:>16}", count("buyers"))?;
    writeln!(out, "repeat rate          {:>16}", figures.repeat_rate())?;
    writeln!(out, "\nsales per month")?;
    for (month, gross) in &figures.months {
        writeln!(out, "  {month}            {:>16}", amount(*gross))?;
    }
    writeln!(out, "\ntop products by gross")?;
    for (sku, gross) in figures.top_by_gross() {
        writeln!(out, "  {:<18} {:>16}", sku.as_str(), amount(gross))?;
    }
    writeln!(out, "\ntop products by units")?;
    for (sku, units) in figures.top_by_units() {
        writeln!(out, "  {:<18} {units:>16}", sku.as_str())?;
    }
    writeln!(out, "\nlines                {:>16}", figures.lines)?;
    writeln!(out, "  returned, linked   {:>16}", figures.linked)?;
    writeln!(out, "  returned, unlinked {:>16}", figures.unlinked)?;
    for (reason, lines) in &figures.skipped {
        writeln!(out, "  {reason:<18} {lines:>16}")?;
    }
    writeln!(
        out,
        "\nentered: {} orders, {} returns, {} notes, {} opening supplies; {} were there before",
        entered.orders, entered.returns, entered.notes, entered.opened, entered.already
    )?;
    writeln!(out, "\nodd, and how often")?;
    for (what, times) in oddities {
        writeln!(out, "  {times:>8}  {what}")?;
    }
    Ok(())
}

//! A shop on a store in a folder, which does one errand of a kill test and is killed at it:
//! `shop_on_file FOLDER` and the arguments of the errand. Its gateway is at the other end of its pipes.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use commerce_testkit::kill::process::Errand;
use custom_store_conformance::FileStore;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, errand) = arguments.split_first().ok_or("name a folder")?;
    let errand = Errand::parse(errand).ok_or("name an errand")?;
    let folder = Path::new(folder);
    Ok(errand.run(|clock| match FileStore::open(folder, Arc::new(clock)) {
        Ok(store) => Arc::new(store),
        Err(error) => {
            eprintln!("{} cannot be opened: {error}", folder.display());
            std::process::exit(2)
        }
    })?)
}

//! Identifiers that come out of order, with gaps.

use commerce_core::port::ids::Ids;
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use super::{Fault, Faulty, Port};

impl Ids for Faulty<dyn Ids> {
    fn next(&self, now: Timestamp) -> Uuid {
        let fault = self.faults.next(Port::Ids, "next", false);
        if let Some(fault) = fault {
            self.faults.injected(Port::Ids, fault);
        }
        let mut shared = self.faults.lock();
        match fault {
            // The one that is held back is given with the next call.
            Some(Fault::Reorder) => {
                let held_back = self.port.next(now);
                let spare = shared.spare_id.replace(held_back);
                spare.unwrap_or_else(|| self.port.next(now))
            }
            Some(Fault::Duplicate) => {
                let _burnt = self.port.next(now);
                self.port.next(now)
            }
            _ => shared.spare_id.take().unwrap_or_else(|| self.port.next(now)),
        }
    }
}

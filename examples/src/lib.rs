//! Runnable hosts: see the `[[example]]` entries.

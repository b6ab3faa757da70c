//! Every command of every context asks for a permission that the table of `identity` knows.

use proptest::prelude::*;

use crate::identity::find;
use crate::kernel::aggregate::Command;

fn known(command: &impl Command) -> bool {
    let asked = command.permission();
    find(asked.resource, asked.action) == Some(asked)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// identity-3: no command relies on the default for what is unknown.
    #[test]
    fn identity_3_every_command_is_in_the_table(
        customer in crate::customers::properties::command(0),
        product in crate::catalog::properties::command(0),
        category in crate::catalog::category::properties::command(),
    ) {
        prop_assert!(known(&customer), "{:?}", customer);
        prop_assert!(known(&product), "{:?}", product);
        prop_assert!(known(&category), "{:?}", category);
    }
}

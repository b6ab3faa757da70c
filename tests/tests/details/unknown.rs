//! What a process makes of a commit whose answer did not arrive, and how long it waits in between.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use commerce_adapters_memory::MemoryStore;
use commerce_core::carts::{Cart, CartCommand};
use commerce_core::kernel::event::EventId;
use commerce_core::port::clock::Clock as _;
use commerce_core::port::prelude::*;
use commerce_core::prelude::*;
use commerce_testkit::fake::{Clock, Gateway, START};
use commerce_testkit::shop::Shop;
use pollster::block_on;

/// What happens to a commit on its way.
#[derive(Clone)]
enum Way {
    /// It does not arrive.
    Lost(Effect),
    /// It arrives, and the answer does not.
    Unanswered,
    /// Somebody else appends the like of it first; then it does not arrive.
    Overtaken,
    /// It arrives twice; the second answer is the one that is heard.
    Twice,
}

/// A store whose next commits go these ways.
#[derive(Clone)]
struct Ways {
    store: MemoryStore,
    next: Arc<Mutex<Vec<Way>>>,
    commits: Arc<AtomicU32>,
}

impl fmt::Debug for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ways").finish_non_exhaustive()
    }
}

fn lost(effect: Effect) -> CommitError {
    CommitError::Port(PortError::new(PortErrorKind::Unavailable, effect, "ways", "commit"))
}

/// What another process would append at the same place: the same, under ids of its own.
fn the_like_of(mut commit: Commit) -> Commit {
    commit.mark = None;
    for (at, event) in commit.append.iter_mut().flat_map(|append| &mut append.events).enumerate() {
        event.id = EventId::derived(event.id.uuid(), &at.to_be_bytes());
    }
    commit
}

#[async_trait]
impl Store for Ways {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        self.store.load(load).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let way = self.next.lock().unwrap().pop();
        match way {
            None => self.store.commit(commit).await,
            Some(Way::Lost(effect)) => Err(lost(effect)),
            Some(Way::Unanswered) => {
                self.store.commit(commit).await?;
                Err(lost(Effect::Unknown))
            }
            Some(Way::Overtaken) => {
                self.store.commit(the_like_of(commit)).await?;
                Err(lost(Effect::Unknown))
            }
            Some(Way::Twice) => {
                self.store.commit(commit.clone()).await?;
                self.store.commit(commit).await
            }
        }
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        self.store.read_all(query).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        self.store.read_stream(stream, after, limit).await
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        self.store.due(query).await
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        self.store.scan(table, after, limit).await
    }
}

struct Scene {
    shop: Shop,
    ways: Ways,
    cart: CartId,
}

impl Scene {
    async fn set() -> Self {
        let clock = Clock::default();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let ways = Ways { store, next: Arc::default(), commits: Arc::default() };
        let shop = Shop::on(ways.clone(), clock, Gateway::capturing());
        let cart = shop.commerce.new_id();
        let owner = Owner::Subject(Shop::subject(1));
        let create = CartCommand::Create { owner, currency: Currency::EUR };
        shop.buyer(1).execute(cart, create).await.unwrap();
        ways.commits.store(0, Ordering::Relaxed);
        Self { shop, ways, cart }
    }

    /// The next commits go these ways, the first one first.
    fn next(&self, ways: impl IntoIterator<Item = Way>) {
        let mut ways: Vec<_> = ways.into_iter().collect();
        ways.reverse();
        *self.ways.next.lock().unwrap() = ways;
    }

    fn commits(&self) -> u32 {
        self.ways.commits.swap(0, Ordering::Relaxed)
    }

    fn waited(&self) -> Duration {
        let micros = self.shop.clock.now().as_micros() - START.as_micros();
        Duration::from_micros(u64::try_from(micros).unwrap())
    }

    async fn names(&self) -> Vec<String> {
        let history = self.shop.staff().history::<Cart>(self.cart, Version::NONE).await.unwrap();
        history.into_iter().map(|entry| entry.name).collect()
    }
}

fn contact() -> CartCommand {
    CartCommand::SetContact { email: Email::new("anna@example.com").unwrap() }
}

#[test]
fn an_answer_that_is_lost_is_found_again_without_a_mark() {
    block_on(async {
        let scene = Scene::set().await;
        scene.next([Way::Unanswered]);
        let done = scene.shop.buyer(1).execute(scene.cart, contact()).await.unwrap();
        assert_eq!((done.version, done.events.len(), done.repeated), (Version::new(2), 1, false));
        assert!(done.position.is_some());
        assert_eq!(scene.commits(), 2);
        assert_eq!(scene.names().await.len(), 2);
    });
}

#[test]
fn an_answer_that_is_lost_is_found_again_by_its_mark() {
    block_on(async {
        let scene = Scene::set().await;
        scene.next([Way::Unanswered]);
        let buyer = scene.shop.buyer(1).with_command_id(scene.shop.commerce.new_id());
        let done = buyer.execute(scene.cart, contact()).await.unwrap();
        assert_eq!((done.version, done.events.len()), (Version::new(2), 1));
        assert_eq!(scene.names().await.len(), 2);
        // The request once more is a repeat, which says so.
        let again = buyer.execute(scene.cart, contact()).await.unwrap();
        assert_eq!((again.repeated, again.version, again.events.len()), (true, Version::new(2), 0));
    });
}

#[test]
fn what_somebody_else_appended_is_not_taken_for_ones_own() {
    block_on(async {
        let scene = Scene::set().await;
        scene.next([Way::Overtaken]);
        let done = scene.shop.buyer(1).execute(scene.cart, contact()).await.unwrap();
        // Decided anew on what the other one left, which needs nothing more.
        assert_eq!((done.version, done.events.len()), (Version::new(2), 0));
        assert_eq!(scene.names().await.len(), 2);
    });
}

#[test]
fn a_commit_that_was_carried_out_twice_is_a_repeat_only_where_its_answer_was_lost() {
    block_on(async {
        let scene = Scene::set().await;
        scene.next([Way::Twice]);
        let buyer = scene.shop.buyer(1).with_command_id(scene.shop.commerce.new_id());
        let done = buyer.execute(scene.cart, contact()).await.unwrap();
        assert!(done.repeated, "the store has it for another's");
        assert_eq!(scene.names().await.len(), 2);
    });
}

#[test]
fn a_store_that_is_down_is_asked_five_times_with_growing_pauses() {
    block_on(async {
        let scene = Scene::set().await;
        scene.next(vec![Way::Lost(Effect::None); 5]);
        let error = scene.shop.buyer(1).execute(scene.cart, contact()).await.unwrap_err();
        assert!(matches!(&error, CommandError::Port(error) if error.effect == Effect::None), "{error:?}");
        assert_eq!(scene.commits(), 5);
        let waited = scene.waited();
        assert!(
            waited > Duration::from_micros(500) && waited < Duration::from_millis(2 + 4 + 8 + 16),
            "{waited:?}"
        );
        assert_eq!(scene.names().await.len(), 1);
    });
}

#[test]
fn a_store_that_may_have_done_it_once_may_have_done_it() {
    block_on(async {
        let scene = Scene::set().await;
        let none = Way::Lost(Effect::None);
        scene.next([none.clone(), Way::Lost(Effect::Unknown), none.clone(), none.clone(), none]);
        let error = scene.shop.buyer(1).execute(scene.cart, contact()).await.unwrap_err();
        assert!(matches!(&error, CommandError::Port(error) if error.effect == Effect::Unknown), "{error:?}");
    });
}

#[test]
fn a_decision_is_made_five_times_at_most() {
    block_on(async {
        let clock = Clock::default();
        let stale = || CommitError::Stale {
            stream: StreamId::new("cart", uuid::Uuid::from_u128(1)),
            expected: Version::NONE,
            actual: Version::new(1),
        };
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let store = commerce_tests::refusing::Refusing::on(store, "cart", stale);
        let shop = Shop::on(store.clone(), clock, Gateway::capturing());
        let cart: CartId = shop.commerce.new_id();
        let owner = Owner::Subject(Shop::subject(1));
        let create = || CartCommand::Create { owner, currency: Currency::EUR };
        store.next(5);
        let refused = shop.buyer(1).execute(cart, create()).await.unwrap_err();
        assert_eq!((refused, store.refused()), (CommandError::Conflict { attempts: 5 }, 5));
        store.next(4);
        let done = shop.buyer(1).execute(cart, create()).await.unwrap();
        assert_eq!((done.version, store.refused()), (Version::new(1), 4));
    });
}

/// A process that knows nothing yet reads a snapshot and the few events behind it.
#[test]
fn a_long_stream_is_not_folded_from_its_beginning() {
    block_on(async {
        let clock = Clock::default();
        let store = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
        let shop = Shop::on_shared(store.clone(), clock.clone(), Gateway::capturing(), 1);
        let item = commerce_core::inventory::stock_item_id(
            &Sku::new("MUG").unwrap(),
            SettingsValues::default().locations[0],
        );
        shop.list("MUG", "10.00", 1).await.unwrap();
        let receive = || StockCommand::Receive { quantity: Quantity::ONE };
        for number in 0..120 {
            let done = shop.staff().execute(item, receive()).await.unwrap();
            assert!(number == 0 || done.folded == 0, "this process knows it");
        }
        let cold = Shop::on_shared(store, clock, Gateway::capturing(), 2);
        let done = cold.staff().execute(item, receive()).await.unwrap();
        assert_eq!(done.version, Version::new(123));
        assert!(done.folded <= 50, "{} events were folded", done.folded);
    });
}

//! Safeguards that can be switched off, to see that the simulator would notice.

/// A safeguard of the protocol, or of what it relies on, that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// An order is written only over the version that was read.
    OrderVersion,
    /// A new order is written only where none is: its id is the sender's key.
    OrderIsNew,
    /// Goods are set aside only where they are available.
    StockIsThere,
    /// Goods are set aside only where what is kept back stays available.
    SafetyStockStays,
    /// Movements leave the level's own item with the page that holds them, and none with it a second time.
    PageIsTakenOutOnce,
    /// What a movement stands for that is the sum of many is kept.
    BreakdownIsStored,
    /// That nothing is left is believed of all shares, not of one.
    AllSharesAreAsked,
    /// A fact is applied once.
    FactAppliedOnce,
    /// A fact that is known is not stored again.
    FactIsNew,
    /// A reservation ends once.
    ReservationEndsOnce,
    /// A reservation whose time is over ends only if it was not extended meanwhile.
    ExpiryIsOfTheTimeSeen,
    /// What comes in of a purchase line is counted for it.
    ReceiptIsCounted,
    /// Goods that have left are on the road.
    TransitIsNoted,
    /// That something was otherwise than expected is noted.
    DiscrepancyIsNoted,
    /// Who noted a level's crossings first tells of them, and nobody else.
    CrossingsUnchanged,
    /// A fact is stored before it is acknowledged.
    FactIsStored,
    /// A message is sent by whoever claimed it first.
    ClaimIsTakenOnce,
    /// A claim whose holder died is taken over by one.
    ClaimIsTakenOverOnce,
    /// A transaction writes all, or nothing.
    AllOrNothing,
    /// A transaction whose answer was lost has written all of it.
    TransactionWhole,
    /// The older part of a timeline is kept.
    TimelinePageIsStored,
    /// The older part of a ledger is kept.
    LedgerPageIsStored,
    /// An order that waits is noted with what it waits for.
    WaitingIsNoted,
    /// Orders that wait hear of what comes in.
    WaitingTold,
    /// A put whose condition failed is decided anew, never acknowledged.
    FailedPutIsRedriven,
    /// A transaction that was cancelled is decided anew, never acknowledged.
    FailedTransactionIsRedriven,
    /// Orders are read as they are, not as they were.
    OrdersConsistent,
    /// Levels are read as they are, not as they were.
    LevelsConsistent,
    /// Orders that a batch read left out are asked for again.
    UnprocessedOrders,
    /// Levels that a batch read left out are asked for again.
    UnprocessedLevels,
    /// An order's names and addresses are stored with it.
    ContactIsStored,
    /// What changes a level is in its ledger.
    MovementIsInTheLedger,
    /// What is in the ledger changes the level.
    MovementIsCounted,
    /// Orders with work to do are in the index of open work.
    OpenWorkIsIndexed,
    /// Facts that wait are in the index of open work.
    OpenFactsAreIndexed,
    /// Orders that wait for goods are in the index of open work.
    WaitingIsIndexed,
    /// All parts of the index are swept.
    AllShards,
    /// A message is deleted when its work is done, not when it is handed out.
    AckComesLast,
    /// A message whose work failed comes again.
    FailuresComeAgain,
    /// A message that comes again has its hints sent again.
    HintsAreSentAgain,
    /// A hint that was not sent fails its message.
    UnsentHintsAreNoticed,
    /// Who gives goods that have come to who waits for them sends a hint beforehand.
    GoodsAreHintedAt,
    /// The sweeper runs.
    Sweeper,
    /// A request that is sent again names itself as before.
    IdempotencyKey,
    /// A location takes no more on a day than it can.
    LocationHasRoom,
    /// Why a location was chosen is stored before it is.
    DecisionIsStored,
    /// Of what a channel says of an order, the newest by its own time counts.
    NewestStatementCounts,
    /// How far a channel's orders are known moves on when they are handed on, not before.
    CursorWaitsForHandOver,
    /// A shop is asked whether it knows of a shipment before it is told of it.
    ShopIsAskedFirst,
    /// A shop that could not be told is told again.
    UntoldIsNoticed,
    /// What a shop is told that there is counts as told once the shop has taken it.
    UnshownIsNoticed,
    /// A shop is not told of its channel's buffer.
    BufferIsKept,
    /// One at a time goes on telling an account how much there is.
    RoundIsOfTheTurnSeen,
    /// What an account is being told of is noted beforehand.
    DoubtIsNoted,
    /// A request for a refund has the same name whenever it is sent.
    RefundKeepsItsName,
    /// A payment provider is asked what has gone back before it is asked for a refund again.
    ProviderIsAskedFirst,
    /// A refund counts as paid once the payment provider has paid it.
    UnpaidIsNoticed,
    /// An order is written only over as much as was handed over of it to subscribers.
    PublishedStays,
    /// That somebody is to be told again is noted before the order counts as handed over.
    DueDeliveryIsNoted,
    /// Orders of which somebody is to be told again are in the index of open work.
    DueDeliveriesAreIndexed,
    /// A walk for a subscriber goes on once what it has come upon is noted, not before.
    ReplayWaitsForItsNotes,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 61] = [
        Self::OrderVersion,
        Self::OrderIsNew,
        Self::StockIsThere,
        Self::SafetyStockStays,
        Self::PageIsTakenOutOnce,
        Self::BreakdownIsStored,
        Self::AllSharesAreAsked,
        Self::FactAppliedOnce,
        Self::FactIsNew,
        Self::ReservationEndsOnce,
        Self::ExpiryIsOfTheTimeSeen,
        Self::ReceiptIsCounted,
        Self::TransitIsNoted,
        Self::DiscrepancyIsNoted,
        Self::CrossingsUnchanged,
        Self::FactIsStored,
        Self::ClaimIsTakenOnce,
        Self::ClaimIsTakenOverOnce,
        Self::AllOrNothing,
        Self::TransactionWhole,
        Self::TimelinePageIsStored,
        Self::LedgerPageIsStored,
        Self::WaitingIsNoted,
        Self::WaitingTold,
        Self::FailedPutIsRedriven,
        Self::FailedTransactionIsRedriven,
        Self::OrdersConsistent,
        Self::LevelsConsistent,
        Self::UnprocessedOrders,
        Self::UnprocessedLevels,
        Self::ContactIsStored,
        Self::MovementIsInTheLedger,
        Self::MovementIsCounted,
        Self::OpenWorkIsIndexed,
        Self::OpenFactsAreIndexed,
        Self::WaitingIsIndexed,
        Self::AllShards,
        Self::AckComesLast,
        Self::FailuresComeAgain,
        Self::HintsAreSentAgain,
        Self::UnsentHintsAreNoticed,
        Self::GoodsAreHintedAt,
        Self::Sweeper,
        Self::IdempotencyKey,
        Self::LocationHasRoom,
        Self::DecisionIsStored,
        Self::NewestStatementCounts,
        Self::CursorWaitsForHandOver,
        Self::ShopIsAskedFirst,
        Self::UntoldIsNoticed,
        Self::UnshownIsNoticed,
        Self::BufferIsKept,
        Self::RoundIsOfTheTurnSeen,
        Self::DoubtIsNoted,
        Self::RefundKeepsItsName,
        Self::ProviderIsAskedFirst,
        Self::UnpaidIsNoticed,
        Self::PublishedStays,
        Self::DueDeliveryIsNoted,
        Self::DueDeliveriesAreIndexed,
        Self::ReplayWaitsForItsNotes,
    ];
}

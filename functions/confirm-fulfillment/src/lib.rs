//! confirm-fulfillment.

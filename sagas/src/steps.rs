//! The steps that sagas are made of, by name, and the service that does each.

use domain::commands::ServiceCommand;
use event_schemas::payment::PaymentOperation;

/// A service that answers commands. A slow one delays only what is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Carts.
    Cart,
    /// Goods.
    Inventory,
    /// Money.
    Payment,
    /// Parcels.
    Shipping,
    /// Orders.
    Order,
}

impl Service {
    /// Every service, in the order of the enum.
    pub const ALL: [Self; 5] = [Self::Cart, Self::Inventory, Self::Payment, Self::Shipping, Self::Order];
}

/// The service that answers a command.
pub const fn service_of(command: &ServiceCommand) -> Service {
    use ServiceCommand as C;
    match command {
        C::CheckOutCart { .. } => Service::Cart,
        C::ReserveStock { .. } | C::ReleaseStock { .. } | C::IssueStock { .. } => Service::Inventory,
        C::AuthorisePayment { .. } | C::CapturePayment { .. } | C::VoidPayment { .. } | C::InquirePayment { .. } => {
            Service::Payment
        }
        C::BookShipment { .. } | C::CancelShipment { .. } => Service::Shipping,
        C::ConfirmOrder { .. } | C::RejectOrder { .. } | C::MarkOrderShipped { .. } | C::MarkOrderDelivered { .. } => {
            Service::Order
        }
    }
}

/// The step's name. A saga takes each step once, however often it asks for it: the id of its directive is derived from
/// this name, so a renamed step would be done twice.
pub const fn step_name(command: &ServiceCommand) -> &'static str {
    use ServiceCommand as C;
    match command {
        C::CheckOutCart { .. } => "check_out_cart",
        C::ReserveStock { .. } => "reserve_stock",
        C::ReleaseStock { .. } => "release_stock",
        C::IssueStock { .. } => "issue_stock",
        C::AuthorisePayment { .. } => "authorise_payment",
        C::CapturePayment { .. } => "capture_payment",
        C::VoidPayment { .. } => "void_payment",
        C::InquirePayment { operation, .. } => match operation {
            PaymentOperation::Authorise => "inquire_authorisation",
            PaymentOperation::Capture => "inquire_capture",
            PaymentOperation::Void => "inquire_void",
        },
        C::BookShipment { .. } => "book_shipment",
        C::CancelShipment { .. } => "cancel_shipment",
        C::ConfirmOrder { .. } => "confirm_order",
        C::RejectOrder { .. } => "reject_order",
        C::MarkOrderShipped { .. } => "mark_order_shipped",
        C::MarkOrderDelivered { .. } => "mark_order_delivered",
    }
}

//! The steps that sagas are made of, by name, and the service that does each.

use std::borrow::Cow;

use crate::commands::ServiceCommand;
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
    /// Orders and their returns.
    Order,
    /// Customers' credit.
    Accounts,
}

impl Service {
    /// Every service, in the order of the enum.
    pub const ALL: [Self; 6] = [
        Self::Cart,
        Self::Inventory,
        Self::Payment,
        Self::Shipping,
        Self::Order,
        Self::Accounts,
    ];

    /// As subjects, metrics and settings call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cart => "cart",
            Self::Inventory => "inventory",
            Self::Payment => "payment",
            Self::Shipping => "shipping",
            Self::Order => "order",
            Self::Accounts => "accounts",
        }
    }
}

/// The service that answers a command.
pub const fn service_of(command: &ServiceCommand) -> Service {
    use ServiceCommand as C;
    match command {
        C::CheckOutCart { .. } => Service::Cart,
        C::ReserveStock { .. } | C::ReleaseStock { .. } | C::IssueStock { .. } | C::RestockGoods { .. } => {
            Service::Inventory
        }
        C::AuthorisePayment { .. }
        | C::CapturePayment { .. }
        | C::VoidPayment { .. }
        | C::RefundPayment { .. }
        | C::InquirePayment { .. } => Service::Payment,
        C::ReserveCredit { .. } | C::ChargeCredit { .. } | C::ReleaseCredit { .. } | C::RefundCredit { .. } => {
            Service::Accounts
        }
        C::BookShipment { .. } | C::CancelShipment { .. } => Service::Shipping,
        C::ConfirmOrder { .. }
        | C::RejectOrder { .. }
        | C::CancelOrder { .. }
        | C::DenyCancellation { .. }
        | C::CancelOrderItems { .. }
        | C::MarkOrderShipped { .. }
        | C::MarkOrderDelivered { .. }
        | C::CompleteReturn { .. } => Service::Order,
    }
}

/// The saga that asks for it.
pub const fn saga_of(command: &ServiceCommand) -> &'static str {
    use ServiceCommand as C;
    match command {
        C::RefundPayment { .. }
        | C::RefundCredit { .. }
        | C::RestockGoods { .. }
        | C::CompleteReturn { .. }
        | C::InquirePayment {
            operation: PaymentOperation::Refund,
            ..
        } => "return_goods",
        _ => "place_order",
    }
}

/// The step's name, as operators read it.
pub const fn step_name(command: &ServiceCommand) -> &'static str {
    use ServiceCommand as C;
    match command {
        C::CheckOutCart { .. } => "check_out_cart",
        C::ReserveStock { .. } => "reserve_stock",
        C::ReleaseStock { .. } => "release_stock",
        C::IssueStock { .. } => "issue_stock",
        C::RestockGoods { .. } => "restock_goods",
        C::AuthorisePayment { .. } => "authorise_payment",
        C::CapturePayment { .. } => "capture_payment",
        C::VoidPayment { .. } => "void_payment",
        C::RefundPayment { .. } => "refund_payment",
        C::InquirePayment { operation, .. } => match operation {
            PaymentOperation::Authorise => "inquire_authorisation",
            PaymentOperation::Capture => "inquire_capture",
            PaymentOperation::Void => "inquire_void",
            PaymentOperation::Refund => "inquire_refund",
        },
        C::ReserveCredit { .. } => "reserve_credit",
        C::ChargeCredit { .. } => "charge_credit",
        C::ReleaseCredit { .. } => "release_credit",
        C::RefundCredit { .. } => "refund_credit",
        C::BookShipment { .. } => "book_shipment",
        C::CancelShipment { .. } => "cancel_shipment",
        C::ConfirmOrder { .. } => "confirm_order",
        C::RejectOrder { .. } => "reject_order",
        C::CancelOrder { .. } => "cancel_order",
        C::DenyCancellation { .. } => "deny_cancellation",
        C::CancelOrderItems { .. } => "cancel_order_items",
        C::MarkOrderShipped { .. } => "mark_order_shipped",
        C::MarkOrderDelivered { .. } => "mark_order_delivered",
        C::CompleteReturn { .. } => "complete_return",
    }
}

/// What tells a saga's steps apart: the step's name, and the part of the order where there may be several. A saga takes
/// each step once, however often it asks for it: the id of its directive is derived from this key, so a step whose key
/// changed would be done twice.
pub fn step_key(command: &ServiceCommand) -> Cow<'static, str> {
    use ServiceCommand as C;
    let part = match command {
        C::ReleaseStock { shipment_id, .. }
        | C::IssueStock { shipment_id, .. }
        | C::CapturePayment { shipment_id, .. } => shipment_id.map(|id| id.uuid()),
        C::BookShipment { shipment_id, .. }
        | C::CancelShipment { shipment_id, .. }
        | C::ChargeCredit { shipment_id, .. }
        | C::CancelOrderItems { shipment_id, .. } => Some(shipment_id.uuid()),
        C::InquirePayment { part, .. } => *part,
        _ => None,
    };
    let name = step_name(command);
    part.map_or(Cow::Borrowed(name), |part| Cow::Owned(format!("{name} {part}")))
}

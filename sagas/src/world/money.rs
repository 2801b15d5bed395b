//! The payment service with its provider, and the credit book.

use domain::commands::ServiceCommand;
use event_schemas::{ShipmentId, ShopEvent, payment::PaymentOperation};

use super::{Answer, World};
use crate::{
    DispatchError,
    place_order::{Carriage, Funds},
};

impl World {
    pub(super) fn money(&mut self, command: &ServiceCommand) -> Answer {
        use PaymentOperation::{Authorise, Capture, Void};
        use ServiceCommand as C;
        let credit = self.script.invoice;
        match command {
            C::AuthorisePayment { .. } if !credit => Ok(self.hold()),
            C::ReserveCredit { .. } if credit => Ok(self.hold()),
            C::CapturePayment { shipment_id, .. } if !credit => Ok(self.take(*shipment_id)),
            C::ChargeCredit { shipment_id, .. } if credit => Ok(self.take(Some(*shipment_id))),
            C::VoidPayment { .. } if !credit => Ok(self.give_back()),
            C::ReleaseCredit { .. } if credit => Ok(self.give_back()),
            C::InquirePayment { operation, part, .. } if !credit => {
                let part = part.map(ShipmentId::from_uuid);
                assert!(matches!(operation, Authorise | Capture | Void));
                Ok(self.inquiry(*operation, part))
            }
            other => Err(DispatchError::Refused(format!("{other:?} is not of this world"))),
        }
    }

    fn hold(&mut self) -> Vec<ShopEvent> {
        if self.funds == Funds::Untouched {
            let declined = self.script.declined;
            self.funds = if declined { Funds::Declined } else { Funds::Held };
            self.did(if declined { "decline" } else { "authorise" }, None);
            self.lose(PaymentOperation::Authorise, None);
        }
        self.answered(PaymentOperation::Authorise, None)
    }

    fn take(&mut self, part: Option<ShipmentId>) -> Vec<ShopEvent> {
        // The provider would not know it again under another key.
        assert_eq!(part.is_none(), self.whole, "another definition's command");
        let n = part.map_or(0, |id| self.index(id));
        assert!(
            self.parcels[n].carriage >= Carriage::PickedUp,
            "captured, but not shipped: {self:?}"
        );
        if !self.parcels[n].paid {
            assert_eq!(self.funds, Funds::Held, "taken what was not set aside: {self:?}");
            self.parcels[n].paid = true;
            self.did("capture", Some(self.parcels[n].id));
            self.lose(PaymentOperation::Capture, part);
        }
        self.answered(PaymentOperation::Capture, part)
    }

    fn give_back(&mut self) -> Vec<ShopEvent> {
        if self.funds == Funds::Held {
            self.funds = Funds::GivenBack;
            self.did("void", None);
            self.lose(PaymentOperation::Void, None);
        }
        self.answered(PaymentOperation::Void, None)
    }

    /// Whether the script has the answer to this operation lost.
    fn is_lost(&self, operation: PaymentOperation, part: Option<ShipmentId>) -> bool {
        let of = |n: usize| part.is_none_or(|id| self.parcels[n % self.parcels.len()].id == id);
        !self.script.invoice
            && self
                .script
                .answer_lost
                .is_some_and(|(lost, n)| lost == operation && of(n))
    }

    fn lose(&mut self, operation: PaymentOperation, part: Option<ShipmentId>) {
        if self.is_lost(operation, part) {
            self.unknown = Some((operation, part));
        }
    }

    fn answered(&self, operation: PaymentOperation, part: Option<ShipmentId>) -> Vec<ShopEvent> {
        if self.is_lost(operation, part) {
            return vec![self.tell.unknown(operation, part)];
        }
        vec![self.answer(operation, part)]
    }

    fn inquiry(&mut self, operation: PaymentOperation, part: Option<ShipmentId>) -> Vec<ShopEvent> {
        self.inquiries += 1;
        if self.is_lost(operation, part) && self.inquiries > self.script.fruitless_inquiries {
            self.unknown = None;
            return vec![self.answer(operation, part)];
        }
        vec![]
    }

    fn answer(&self, operation: PaymentOperation, part: Option<ShipmentId>) -> ShopEvent {
        let tell = self.tell;
        match operation {
            PaymentOperation::Authorise if self.script.declined => tell.declined(),
            PaymentOperation::Authorise => tell.authorised(),
            PaymentOperation::Capture => tell.captured(part),
            PaymentOperation::Void | PaymentOperation::Refund => tell.voided(),
        }
    }
}

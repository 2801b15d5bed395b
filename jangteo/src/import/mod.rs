//! Real data brought in as history: the Icecat catalogue and the Olist orders.

//! Sellers' figures: whose they are, and how they are asked for. What is in them is tested with the projections.

use super::*;

#[tokio::test]
async fn a_seller_sees_their_own_figures_and_an_admin_everybodys() {
    let shop = shop().await;
    let (seller, admin) = (someone(&[Role::Seller]), someone(&[Role::Admin]));
    for (figures, list) in [("sales", "days"), ("stock-alerts", "alerts")] {
        let path = format!("seller/{figures}");
        let of = |id: SellerId| format!("{path}?seller={id}");
        for (who, path) in [
            (&seller, path.clone()),
            (&seller, of(seller.account_id)),
            (&admin, path.clone()),
            (&admin, of(seller.account_id)),
        ] {
            let answer = shop.get_as(who, &path).await;
            assert_eq!(
                (answer.0, answer.2[list].as_array().map(Vec::len)),
                (200, Some(0)),
                "{path}"
            );
        }
        assert_eq!(
            shop.get_as(&seller, &of(admin.account_id)).await.problem(),
            (403, "forbidden")
        );
        let customer = someone(&[Role::Customer]);
        assert_eq!(shop.get_as(&customer, &path).await.problem(), (403, "forbidden"));
        assert_eq!(shop.get(&path).await.0, 401);
    }
}

#[tokio::test]
async fn a_wrong_day_window_or_level_is_refused_by_name() {
    let shop = shop().await;
    let admin = someone(&[Role::Admin]);
    for wrong in [
        "seller/sales?from=yesterday",
        "seller/sales?to=2026-02-30",
        "seller/sales?from=2026-03-02&to=2026-03-01",
        "seller/sales?seller=me",
        "seller/stock-alerts?level=enough-of-it",
        "seller/stock-alerts?treshold=1",
        "best-sellers?window=year",
        "best-sellers?cursor=abc",
        "trending?size=0",
    ] {
        let answer = shop.get_as(&admin, wrong).await;
        let name = wrong
            .split_once('?')
            .map(|(_, query)| query.split('=').next().unwrap())
            .unwrap();
        assert_eq!(answer.0, 400, "{wrong}: {}", answer.2);
        assert!(
            answer.2["detail"].as_str().unwrap().contains(name),
            "{wrong}: {}",
            answer.2
        );
    }
}

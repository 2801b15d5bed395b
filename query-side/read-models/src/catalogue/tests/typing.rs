//! Completion, beyond what the contract says.

use super::*;

#[tokio::test]
async fn a_category_goes_with_its_last_product() {
    let placed = |category: &str| CatalogueEntry {
        category: category.to_owned(),
        ..product("Thing")
    };
    let (tea, coffee) = (placed("Kitchen/Cosy tea"), placed("Kitchen/Coffee"));
    let shop = Shop::with([tea.clone(), coffee]).await;
    let live = shop.index.generations(Catalogue::NAME).await.unwrap().live;
    let categories = async |typed: &str| shop.index.complete(live, typed, 5).await.unwrap().categories;
    assert_eq!(categories("co").await, ["Kitchen/Coffee", "Kitchen/Cosy tea"]);
    assert_eq!(categories("te").await, ["Kitchen/Cosy tea"], "a word within the name");
    let gone = Write {
        part: Part::Documents,
        key: tea.id.bytes(),
        value: None,
    };
    shop.index
        .commit(live, vec![gone], Checkpoint::default())
        .await
        .unwrap();
    assert_eq!(categories("co").await, ["Kitchen/Coffee"]);
    shop.put([placed("Kitchen/Copper")]).await;
    assert_eq!(categories("co").await, ["Kitchen/Coffee", "Kitchen/Copper"]);
}

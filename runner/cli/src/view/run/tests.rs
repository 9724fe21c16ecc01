//! Words of a queue.

use api::types::QueuePlace;

use super::place;

#[test]
fn a_place_in_the_queue_reads_as_people_count() {
    let told = |n, running| place(&QueuePlace { place: n, running, target: None });
    assert_eq!(told(1, 1), "next in the queue; 1 runs now");
    assert_eq!(told(2, 4), "2nd in the queue; 4 run now");
    let target = Some("shop-replica".parse().unwrap());
    let there = place(&QueuePlace { place: 1, running: 2, target });
    assert_eq!(there, "next in the queue for shop-replica; 2 run there now");
    assert_eq!(told(3, 2), "3rd in the queue; 2 run now");
    assert_eq!(told(21, 2), "number 21 in the queue; 2 run now");
}

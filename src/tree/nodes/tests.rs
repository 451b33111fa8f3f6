//! The node table against the rules of the FUSE protocol.

use super::*;
use crate::sys::Errno;
use crate::tree::DirCache;

const ROOT: FileKey = FileKey { dev: 5, ino: 2 };

fn key(ino: u64) -> FileKey {
    FileKey { dev: 5, ino }
}

fn place(parent: NodeId, name: &'static str) -> Place<&'static str> {
    Place { parent, name }
}

fn nodes() -> Nodes<&'static str> {
    Nodes::new(ROOT, false)
}

#[test]
fn a_node_lives_until_every_lookup_is_forgotten() {
    let nodes = nodes();
    let a = place(NodeId::ROOT, "a");
    let found = nodes.remember(a.clone(), key(10));
    assert_eq!(nodes.remember(a.clone(), key(10)), found);
    assert!(!nodes.forget(found.id, 1));
    assert!(nodes.forget(found.id, 1));
    assert_eq!(nodes.at(&a), None);
}

#[test]
fn hard_links_share_a_node_and_survive_the_loss_of_one_name() {
    let nodes = nodes();
    let (a, b) = (place(NodeId::ROOT, "a"), place(NodeId::ROOT, "b"));
    let id = nodes.remember(a.clone(), key(10)).id;
    assert_eq!(nodes.remember(b.clone(), key(10)).id, id);
    assert_eq!(nodes.removed(&b), Some(id));
    assert_eq!(nodes.place(id), Some(a));
}

#[test]
fn a_reused_inode_number_gets_a_new_generation() {
    let nodes = nodes();
    let a = place(NodeId::ROOT, "a");
    let old = nodes.remember(a.clone(), key(10));
    nodes.removed(&a);
    let new = nodes.remember(place(NodeId::ROOT, "b"), key(10));
    assert_eq!(old.id, new.id);
    assert_ne!(old.generation, new.generation);
}

#[test]
fn a_rename_moves_the_node_and_detaches_the_one_it_replaced() {
    let nodes = nodes();
    let (a, b) = (place(NodeId::ROOT, "a"), place(NodeId::ROOT, "b"));
    let moved = nodes.remember(a.clone(), key(10)).id;
    let replaced = nodes.remember(b.clone(), key(11)).id;
    nodes.renamed(&a, b.clone());
    assert_eq!(nodes.at(&b), Some(moved));
    assert_eq!(nodes.at(&a), None);
    assert_eq!(nodes.place(replaced), None);
}

#[test]
fn an_exchange_swaps_both_nodes() {
    let nodes = nodes();
    let (a, b) = (place(NodeId::ROOT, "a"), place(NodeId::ROOT, "b"));
    let one = nodes.remember(a.clone(), key(10)).id;
    let other = nodes.remember(b.clone(), key(11)).id;
    nodes.exchanged(&a, &b);
    assert_eq!(nodes.at(&a), Some(other));
    assert_eq!(nodes.at(&b), Some(one));
}

#[test]
fn an_exchange_with_itself_leaves_one_place() {
    let nodes = nodes();
    let a = place(NodeId::ROOT, "a");
    let id = nodes.remember(a.clone(), key(10)).id;
    nodes.exchanged(&a, &a);
    assert_eq!(nodes.places(id).len(), 1);
    assert!(nodes.forget(id, 1));
    assert_eq!(nodes.at(&a), None);
    assert_eq!(nodes.remember(a, key(11)).generation, 1);
}

#[test]
fn an_object_replaced_from_outside_takes_over_the_place() {
    let nodes = nodes();
    let a = place(NodeId::ROOT, "a");
    let old = nodes.remember(a.clone(), key(10)).id;
    let new = nodes.remember(a.clone(), key(11)).id;
    assert_eq!(nodes.at(&a), Some(new));
    assert_eq!(nodes.place(old), None);
}

#[test]
fn unshared_names_get_a_node_each() {
    let nodes = Nodes::new(ROOT, true);
    let a = place(NodeId::ROOT, "a");
    let first = nodes.remember(a.clone(), key(10));
    let second = nodes.remember(place(NodeId::ROOT, "b"), key(10));
    assert_ne!(first.id, second.id);
    assert_eq!((first.ino, second.ino), (10, 10), "still one file");
    assert_eq!(nodes.remember(a, key(10)), first);
}

#[test]
fn a_node_is_looked_for_first_where_it_was_found_last() {
    let nodes = nodes();
    let (a, b) = (place(NodeId::ROOT, "a"), place(NodeId::ROOT, "b"));
    let id = nodes.remember(a.clone(), key(10)).id;
    nodes.remember(b.clone(), key(10));
    nodes.remember(a.clone(), key(10));
    assert_eq!(nodes.places(id).to_vec(), [a.clone(), b.clone()]);
    nodes.removed(&a);
    assert_eq!(nodes.places(id).to_vec(), [b]);
    assert_eq!(nodes.at(&a), None);
}

#[test]
fn directories_that_seem_to_contain_each_other_are_not_chased() {
    let nodes = nodes();
    let dirs = DirCache::new(std::num::NonZeroUsize::MIN);
    let a = nodes.remember(place(NodeId::ROOT, "a"), key(10)).id;
    let b = nodes.remember(place(a, "b"), key(11)).id;
    nodes.remember(place(b, "a"), key(10));
    let reached = dirs.reach(&nodes, b, || Ok(()), |(), _| Ok(((), key(0))));
    assert_eq!(reached, Err(Errno::LOOP));
}

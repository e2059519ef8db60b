// Conflation: losing, owing, paying gap and snapshots, and the opening record, in a ring of 8 slots
// with four rows of three parts. What is owed dies with its process; the successor's opening record
// must make up for it.

#include "tests/crash/conflation_judges.hpp"

namespace sluice::shm::test {
namespace {

class ConflationCrash : public CrashTest {};

// Words of a slot that change with every record: two of flags, number, check, stamp; and the tail.
constexpr std::size_t kStores = 6;

// Rows 0 and 1 lose two states each: the older one is nowhere but in the gap.
constexpr auto kTwoRowsTwice = [](auto& conflator, NoteRows& rows) {
  LoseRows{2}(conflator, rows);
  LoseRows{2}(conflator, rows);
};

TEST_F(ConflationCrash, LosingRecordsTouchesNothingThatIsPublished) {
  prove(conflation_operation(
      dir(), {.name = "conflation: losing", .unread = 8, .least_images = 4}, LoseRows{1},
      [](auto& conflator, NoteRows& rows, Dying&) { LoseRows{2}(conflator, rows); }));
}

TEST_F(ConflationCrash, OwingARowTouchesNothingThatIsPublished) {
  prove(conflation_operation(dir(), {.name = "conflation: owing", .unread = 8, .least_images = 3},
                             LoseRows{1}, [](auto& conflator, NoteRows& rows, Dying&) {
                               ++rows.number[2];
                               conflator.touch(2);
                               ++rows.number[3];
                               conflator.touch(3);
                               conflator.settle();
                             }));
}

TEST_F(ConflationCrash, GapAndSnapshotsThatFitArePaidAsAPrefix) {
  prove(conflation_operation(dir(),
                             {.name = "conflation: gap and two snapshots of three parts",
                              .records = 7,
                              .least_images = 7 * kStores,
                              .known = {2, 2, 2, 2}},
                             kTwoRowsTwice, Settle{}));
}

TEST_F(ConflationCrash, SnapshotsThatDoNotFitArePaidAsAPrefix) {
  prove(conflation_operation(dir(),
                             {.name = "conflation: gap, then snapshots in part",
                              .unread = 2,
                              .records = 6,
                              .least_images = 6 * kStores,
                              .known = {2, 2, 1, 1}},
                             LoseRows{8}, Settle{}));
}

TEST_F(ConflationCrash, CheckpointOfAllRowsIsPaidAsAPrefix) {
  prove(conflation_operation(dir(),
                             {.name = "conflation: checkpoint of all rows",
                              .records = 8,
                              .least_images = 8 * kStores,
                              .known = {2, 2, 2, 2}},
                             LoseRows{1}, [](auto& conflator, const NoteRows&, Dying&) {
                               conflator.touch_all();
                               conflator.settle();
                             }));
}

TEST_F(ConflationCrash, OpeningRecordComesFirstOrNotAtAll) {
  prove(conflation_operation(dir(),
                             {.name = "conflation: opening, then flagged records",
                              .unread = 2,
                              .records = 4,
                              .least_images = 4 * kStores,
                              .incarnation = kEarlier,
                              .known = {2, 2, 1, 1}},
                             LoseRows{1}, [](auto& conflator, NoteRows& rows, Dying& dying) {
                               conflator.open(opening_note(kDead));
                               dying.say(1);
                               rows.incarnation = kDead;
                               for (const std::uint32_t row : {0U, 1U, 0U})
                                 conflator.offer(row, change_note(kDead, row, ++rows.number[row]));
                               dying.say(4);
                             }));
}

TEST_F(ConflationCrash, OpeningRecordThatFindsNoRoomIsOwed) {
  prove(conflation_operation(dir(),
                             {.name = "conflation: opening that finds no room",
                              .unread = 8,
                              .least_images = 4,
                              .incarnation = kEarlier},
                             LoseRows{1}, [](auto& conflator, NoteRows& rows, Dying&) {
                               conflator.open(opening_note(kDead));
                               rows.incarnation = kDead;
                               LoseRows{2}(conflator, rows);
                               conflator.settle();
                             }));
}

}  // namespace
}  // namespace sluice::shm::test

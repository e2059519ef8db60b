// Boards: the first, second and tenth write of a row. The row is the old value or the new one at
// every instruction, and no reader waits for the dead.

#include "tests/crash/board_judges.hpp"

namespace sluice::shm::test {
namespace {

class BoardCrash : public CrashTest {};

TEST_F(BoardCrash, RowIsTheOldValueOrTheNewOneAtEveryInstruction) {
  for (const auto& [number, name] :
       {std::pair{1U, "board: first write of a row"}, std::pair{2U, "board: second write of a row"},
        std::pair{10U, "board: tenth write of a row"}})
    prove(board_operation<BoardWriter<FourLines>>(dir(), name, number, StoreRow{}));
}

}  // namespace
}  // namespace sluice::shm::test

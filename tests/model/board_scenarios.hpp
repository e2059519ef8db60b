// A board's row under relacy: a writer, a reader, and a writer that dies.
#pragma once

#include "shm/board.hpp"
#include "tests/model/relacy_atomics.hpp"

namespace sluice::model {

struct RowMemory {
  static constexpr std::size_t kWords = 2;
  using Core = shm::BoardCore<RelacyAtomics, kWords>;
  using Value = Core::Value;

  ModelWord row[shm::board_row_words(kWords)];

  void create() {
    for (ModelWord& word : row)
      word.create();
  }
  static Value value_of(std::uint64_t number, unsigned writer) {
    const std::uint64_t key = number * 8 + writer;
    return {key, ~key * 31};
  }
  // Whole, and never older than the last one; the same number always from the same writer.
  void read(std::uint64_t& last) const {
    Value value{};
    self().looked = false;
    const shm::BoardRead result = Core::load(row, value);
    RL_ASSERT(result != shm::BoardRead::kContended);
    if (result == shm::BoardRead::kNever) {
      RL_ASSERT(last == 0);
      return;
    }
    RL_ASSERT(value[1] == ~value[0] * 31);
    RL_ASSERT(value[0] == last || value[0] / 8 > last / 8);
    last = value[0];
  }
};

template <std::uint64_t kWrites>
struct BoardRow : rl::test_suite<BoardRow<kWrites>, 2> {
  RowMemory memory;

  void before() {
    begin_schedule(0);
    memory.create();
  }
  void thread(unsigned id) {
    if (id == 0) {
      self().writes_board = true;
      for (std::uint64_t number = 1; number <= kWrites; ++number)
        RowMemory::Core::store(memory.row, RowMemory::value_of(number, 0));
    } else {
      std::uint64_t last = 0;
      memory.read(last);
      memory.read(last);
    }
  }
  void after() {
    std::uint64_t last = 0;
    memory.read(last);
    RL_ASSERT(last == kWrites * 8);
  }
};
using BoardTwoWrites = BoardRow<2>;
using BoardThreeWrites = BoardRow<3>;

// The successor finds the predecessor's last whole value and goes on from it.
struct DyingWriter : rl::test_suite<DyingWriter, 3> {
  RowMemory memory;
  rl::atomic<unsigned> role;

  void before() {
    begin_schedule(0);
    memory.create();
    role.store(0, rl::mo_relaxed, $);
  }
  void thread(unsigned id) {
    if (id == 2) {
      std::uint64_t last = 0;
      for (int look = 0; look < 3; ++look)
        memory.read(last);
      return;
    }
    while (role.load(rl::mo_acquire, $) != id)
      rl::yield(1, $);
    RowMemory::Value found{};
    const shm::BoardRead result = RowMemory::Core::load(memory.row, found);
    RL_ASSERT(result != shm::BoardRead::kContended);
    const std::uint64_t number = result == shm::BoardRead::kOk ? found[0] / 8 : 0;
    RL_ASSERT(result == shm::BoardRead::kNever || found[1] == ~found[0] * 31);
    if (id == 0)
      become_mortal();
    self().writes_board = true;
    for (std::uint64_t next = number + 1; next <= (id == 0 ? 14 : number + 2) && alive(); ++next)
      RowMemory::Core::store(memory.row, RowMemory::value_of(next, id));
    if (id == 0)
      note_survival();
    role.store(id + 1, rl::mo_release, $);
  }
};

}  // namespace sluice::model

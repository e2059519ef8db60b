// The shipped reading and writing of shared words as the release flags compile it, one function per
// use, for check.py to take apart. Never run.
#include <cstddef>

#include "common/messages/intent.hpp"
#include "common/messages/market_event.hpp"
#include "shm/atomics.hpp"
#include "shm/board.hpp"
#include "shm/ring.hpp"
#include "shm/ring_reader.hpp"
#include "shm/segment.hpp"

using sluice::Intent;
using sluice::MarketEvent;
using namespace sluice::shm;

using LineWords = RingRecord<MarketEvent>::Words;
using IntentWords = RingRecord<Intent>::Words;
using LineConsumer = RingConsumerCore<StdAtomics, RingRecord<MarketEvent>::kWords>;
using IntentConsumer = RingConsumerCore<StdAtomics, RingRecord<Intent>::kWords>;
using LineProducer = RingProducerCore<StdAtomics, RingRecord<MarketEvent>::kWords>;
using IntentProducer = RingProducerCore<StdAtomics, RingRecord<Intent>::kWords>;
using Board = BoardCore<StdAtomics, 31>;

extern "C" {

bool read_peek_line(const LineConsumer& consumer, LineWords& copy) {
  return consumer.peek(copy);
}
bool read_peek_intent(const IntentConsumer& consumer, IntentWords& copy) {
  return consumer.peek(copy);
}

// What consumers do: look at the copy, refuse it or use it, as an index too.
bool read_checked_intent(RingConsumer<Intent>& consumer, const std::uint64_t* limits,
                         std::uint64_t instruments, std::int64_t* used) {
  Intent intent;
  if (!consumer.peek(intent))
    return false;
  consumer.release();
  if (intent.instrument >= instruments || intent.requested.raw <= 0)
    return false;
  *used = static_cast<std::int64_t>(limits[intent.instrument]) - intent.requested.raw;
  return true;
}
std::size_t read_drain_line(RingConsumer<MarketEvent>& consumer, const std::uint64_t* table,
                            std::uint64_t* sum) {
  return consumer.drain(
      [&](const MarketEvent& event) {
        if (event.instrument < 64)
          *sum += table[event.instrument] + static_cast<std::uint64_t>(event.receive_ns.ns);
      },
      8);
}

bool read_tool(const RingReaderCore<StdAtomics>& reader, std::uint64_t position,
               IntentWords& copy) {
  return reader.read(position, copy.data(), copy.size());
}

BoardRead read_board(const StdAtomics::Word* row, Board::Value& value) {
  return Board::load(row, value);
}

// What an attach does with a header: look at the copy, refuse it or compute with it.
bool read_checked_header(const StdAtomics::Word* header, std::uint64_t file_bytes,
                         std::uint64_t* body_bytes) {
  const auto copy = copy_shared<SegmentHeader>(header);
  if (copy.layout_version != kLayoutVersion || copy.file_bytes != file_bytes ||
      copy.elements > file_bytes / kCacheLine)
    return false;
  *body_bytes = copy.elements * copy.element_bytes;
  return true;
}

bool write_push_line(LineProducer& producer, const LineWords& record) {
  return producer.try_push(record);
}
bool write_push_intent(IntentProducer& producer, const IntentWords& record) {
  return producer.try_push(record);
}
bool write_stage_line(LineProducer& producer, const LineWords& record) {
  return producer.try_stage(record);
}
void write_publish_line(LineProducer& producer) {
  producer.publish();
}
void write_release_line(LineConsumer& consumer) {
  consumer.advance();
  consumer.release_to(consumer.head());
}
void write_board(StdAtomics::Word* row, const Board::Value& value) {
  Board::store(row, value);
}

}  // extern "C"

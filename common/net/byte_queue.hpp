// byte_queue.hpp — bytes on their way to one socket: appended at the back, written from the front.
//
// One thread. The bytes lie in one contiguous piece, so that many small messages leave in one
// socket write. Each byte is copied in once and moved at most once more on average: the front is
// closed up only when at least half of the buffer is behind it. The caller bounds the size.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace sluice::net {

class ByteQueue {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] bool empty() const noexcept { return end_ == begin_; }
  [[nodiscard]] std::string_view front(std::size_t limit) const noexcept {
    return {data_.get() + begin_, size() < limit ? size() : limit};
  }

  // Room for `count` bytes at the back, to be filled by the caller at once.
  [[nodiscard]] char* extend(std::size_t count) {
    make_room(count);
    char* at = data_.get() + end_;
    end_ += count;
    return at;
  }

  void append(std::string_view bytes) {
    if (!bytes.empty())
      std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
  }

  void consume(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_)
      begin_ = end_ = 0;
  }

  void clear() noexcept { begin_ = end_ = 0; }

 private:
  void make_room(std::size_t count) {
    if (capacity_ - end_ >= count)
      return;
    const std::size_t used = size();
    if (begin_ >= capacity_ / 2 && capacity_ - used >= count) {
      std::memmove(data_.get(), data_.get() + begin_, used);
    } else {
      std::size_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_ * 2;
      while (capacity - used < count)
        capacity *= 2;
      auto grown = std::make_unique_for_overwrite<char[]>(capacity);
      if (used != 0)
        std::memcpy(grown.get(), data_.get() + begin_, used);
      data_ = std::move(grown);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = used;
  }

  static constexpr std::size_t kFirstCapacity = 4096;
  std::unique_ptr<char[]> data_{};
  std::size_t capacity_{0};
  std::size_t begin_{0};
  std::size_t end_{0};
};

}  // namespace sluice::net

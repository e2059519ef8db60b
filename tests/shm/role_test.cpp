// Roles: one holder at a time, freed by the kernel however it dies.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <optional>

#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

class Role : public ShmTest {
 protected:
  // A child that holds the role `risk` until it is killed.
  [[nodiscard]] int hold_forever() const {
    const RoleLock held = RoleLock::acquire(dir(), "risk", "sluice-risk");
    for (;;)
      pause();
  }
  [[nodiscard]] bool held_with_text() const {
    const auto holder = RoleLock::holder(dir(), "risk");
    return holder && holder->pid != 0;
  }
};

TEST_F(Role, SecondClaimantIsToldWhoHoldsIt) {
  Child holder([&] { return hold_forever(); });
  ASSERT_TRUE(eventually([&] { return held_with_text(); }));
  const Error error = error_of([&] { static_cast<void>(role("risk")); });
  EXPECT_EQ(error.code(), ExitCode::kRoleTaken);
  EXPECT_TRUE(says(error.what(), {"role 'risk'", dir().c_str(), "sluice-risk", "since 2",
                                  std::to_string(holder.pid()).c_str()}));
}

TEST_F(Role, KillMinusNineFreesIt) {
  Child holder([&] { return hold_forever(); });
  ASSERT_TRUE(eventually([&] { return held_with_text(); }));
  ASSERT_EQ(holder.kill_and_reap(), -SIGKILL);
  EXPECT_FALSE(RoleLock::holder(dir(), "risk").has_value());
  const RoleLock mine = role("risk");
  EXPECT_TRUE(role_held_here(dir(), "risk"));
}

TEST_F(Role, DeadHolderWhoseChildKeepsTheDescriptorIsNamedSo) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  Child holder([&] {
    const RoleLock held = RoleLock::acquire(dir(), "risk", "sluice-risk");
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      for (;;)
        pause();  // keeps the open file description, hence the lock
    }
    return write(ready[1], &grandchild, sizeof(grandchild)) > 0 ? (pause(), 0) : 1;
  });
  pid_t grandchild = 0;
  ASSERT_EQ(read(ready[0], &grandchild, sizeof(grandchild)), static_cast<ssize_t>(sizeof(pid_t)));
  close(ready[0]);
  close(ready[1]);
  ASSERT_EQ(holder.kill_and_reap(), -SIGKILL);
  EXPECT_TRUE(says(error_of([&] { static_cast<void>(role("risk")); }).what(),
                   {"held by a dead process", "descriptor is still open in a child"}));
  kill(grandchild, SIGKILL);
  EXPECT_TRUE(eventually([&] { return !RoleLock::holder(dir(), "risk").has_value(); }));
}

TEST_F(Role, AskingForTheHolderDoesNotTake) {
  { const RoleLock once = role("risk"); }
  EXPECT_FALSE(RoleLock::holder(dir(), "risk").has_value());
  EXPECT_FALSE(role_held_here(dir(), "risk"));
  const RoleLock mine = role("risk");
  const auto holder = RoleLock::holder(dir(), "risk");
  ASSERT_TRUE(holder.has_value());
  EXPECT_EQ(holder->pid, getpid());
  EXPECT_EQ(holder->purpose, "a test");
  EXPECT_TRUE(holder->alive);
  EXPECT_TRUE(RoleLock::holder(dir(), "risk").has_value()) << "asking twice took nothing";
}

TEST_F(Role, RoleThatNobodyEverHeldHasNoHolderAndNoFile) {
  EXPECT_FALSE(RoleLock::holder(dir(), "gateway").has_value());
  EXPECT_FALSE(std::filesystem::exists(locks_folder(dir()) + "/gateway"));
}

TEST_F(Role, SameProcessIsRefusedTooAndKeepsWhatItHolds) {
  const RoleLock first = role("risk");
  EXPECT_EQ(error_of([&] { static_cast<void>(role("risk")); }).code(), ExitCode::kRoleTaken);
  EXPECT_TRUE(role_held_here(dir(), "risk"));
  EXPECT_TRUE(RoleLock::holder(dir(), "risk").has_value());
}

TEST_F(Role, MovedLockHoldsOnUntilItsLastOwnerGoes) {
  std::optional<RoleLock> second;
  {
    RoleLock first = role("risk");
    second.emplace(std::move(first));
  }
  EXPECT_TRUE(RoleLock::holder(dir(), "risk").has_value());
  second.reset();
  EXPECT_FALSE(RoleLock::holder(dir(), "risk").has_value());
}

TEST_F(Role, LockFilesAreForTheirOwnerAlone) {
  const RoleLock held = role("risk");
  struct stat status {};
  ASSERT_EQ(stat(locks_folder(dir()).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((locks_folder(dir()) + "/risk").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(Role, ExecutedProgramsDoNotInheritTheLock) {
  std::optional<RoleLock> held = role("risk");
  Child program([] { return execlp("sleep", "sleep", "60", nullptr); });
  ASSERT_TRUE(eventually([&] {
    std::error_code gone;
    return std::filesystem::read_symlink("/proc/" + std::to_string(program.pid()) + "/exe", gone)
               .filename() != std::filesystem::read_symlink("/proc/self/exe").filename();
  }));
  held.reset();
  EXPECT_FALSE(RoleLock::holder(dir(), "risk").has_value());
}

TEST_F(Role, FlockOfAReaderDoesNotLockTheOwnerOut) {
  { const RoleLock once = role("risk"); }
  const int reader = open((locks_folder(dir()) + "/risk").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  ASSERT_EQ(flock(reader, LOCK_EX | LOCK_NB), 0);
  EXPECT_NO_THROW(static_cast<void>(role("risk")));
  close(reader);
}

// A reader who could open the lock file could not take the owner's lock; and it cannot open it: the
// folder is its owner's alone. Whoever has that right is the owner's user, or root.
TEST_F(Role, ReaderCannotLockTheOwnerOut) {
  { const RoleLock once = role("risk"); }
  const std::string file = locks_folder(dir()) + "/risk";
  const int reader = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  EXPECT_EQ(fcntl(reader, F_OFD_SETLK, &request), -1);
  EXPECT_EQ(errno, EBADF) << "an exclusive lock needs a writable descriptor";
  close(reader);

  Child stranger([&] {
    constexpr uid_t kNobody = 65534;
    if (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0)
      return 50;
    for (const int how : {O_RDONLY, O_RDWR, O_PATH})
      if (open(file.c_str(), how | O_CLOEXEC) >= 0 || errno != EACCES)
        return 1;
    return open(locks_folder(dir()).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 ? 0 : 2;
  });
  const int code = stranger.wait();
  if (code == 50)
    GTEST_SKIP() << "no right to become another user";
  EXPECT_EQ(code, 0);
}

TEST_F(Role, StoppedHolderHoldsOnAndIsStillAlive) {
  Child holder([&] { return hold_forever(); });
  ASSERT_TRUE(eventually([&] { return held_with_text(); }));
  ASSERT_EQ(kill(holder.pid(), SIGSTOP), 0);
  int status = 0;
  ASSERT_EQ(waitpid(holder.pid(), &status, WUNTRACED), holder.pid());
  ASSERT_TRUE(WIFSTOPPED(status));
  const auto found = RoleLock::holder(dir(), "risk");
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->alive) << "a hang is the supervisor's business, never a second claimant's";
  EXPECT_TRUE(says(error_of([&] { static_cast<void>(role("risk")); }).what(), {"held by pid"}));
  ASSERT_EQ(holder.kill_and_reap(), -SIGKILL);
  EXPECT_FALSE(RoleLock::holder(dir(), "risk").has_value());
}

// Killed is not enough: the kernel frees the lock while it takes the process apart. Once it is
// reaped, the lock is free.
TEST_F(Role, LockIsFreeAtTheLatestWhenTheHolderIsReaped) {
  for (int round = 0; round < 20; ++round) {
    Child holder([&] { return hold_forever(); });
    ASSERT_TRUE(eventually([&] { return held_with_text(); }));
    ASSERT_EQ(holder.kill_and_reap(), -SIGKILL);
    ASSERT_NO_THROW(static_cast<void>(role("risk"))) << "round " << round;
  }
}

TEST_F(Role, MessageNamesPidStartAndPurpose) {
  const RoleLock mine = RoleLock::acquire(dir(), "risk", "sluice-risk of instance demo");
  const auto holder = RoleLock::holder(dir(), "risk");
  ASSERT_TRUE(holder.has_value());
  EXPECT_GT(holder->start, 0u);
  EXPECT_TRUE(says(describe(*holder), {"pid " + std::to_string(getpid()), holder->since,
                                       "sluice-risk of instance demo"}));
  EXPECT_TRUE(says(error_of([&] { static_cast<void>(role("risk")); }).what(),
                   {"pid " + std::to_string(getpid()), "stop that process first"}));
}

TEST_F(Role, SecondInstanceOfTheSameNameIsRefusedAndAnotherNameIsNot) {
  Child holder([&] { return hold_forever(); });
  ASSERT_TRUE(eventually([&] { return held_with_text(); }));
  std::filesystem::create_symlink(dir(), dir() + "-link");
  const auto by_another_path = [&] {
    static_cast<void>(RoleLock::acquire(dir() + "-link", "risk", "the second"));
  };
  EXPECT_EQ(error_of(by_another_path).code(), ExitCode::kRoleTaken);
  EXPECT_NO_THROW(static_cast<void>(RoleLock::acquire(dir() + "-other", "risk", "another")));
}

TEST_F(Role, LockFileIsNeverUnlinkedSoItsIdentityStays) {
  std::optional<FileId> before;
  for (int round = 0; round < 3; ++round) {
    { const RoleLock held = role("risk"); }
    const auto now = file_id_of(locks_folder(dir()) + "/risk");
    ASSERT_TRUE(now.has_value());
    EXPECT_EQ(before.value_or(*now), *now);
    before = now;
  }
}

// What a dead holder left in the file is no claim, and neither is garbage.
TEST_F(Role, TextInTheFileProvesNothing) {
  { const RoleLock once = role("risk"); }
  const int file = open((locks_folder(dir()) + "/risk").c_str(), O_RDWR | O_CLOEXEC);
  const std::string garbage(5000, '\xff');
  ASSERT_EQ(pwrite(file, garbage.data(), garbage.size(), 0), 5000);
  close(file);
  EXPECT_FALSE(RoleLock::holder(dir(), "risk").has_value());
  const RoleLock mine = role("risk");
  EXPECT_EQ(RoleLock::holder(dir(), "risk")->pid, getpid());
}

TEST_F(Role, NameThatIsNoFileNameIsRefused) {
  for (const char* const name : {"", "../risk", "a/b", ".hidden", "Risk", "risk "})
    EXPECT_EQ(error_of([&] { static_cast<void>(role(name)); }).code(), ExitCode::kConfig) << name;
}

}  // namespace
}  // namespace sluice::shm::test

/*
 * One role, and who may write its segment: shm/role.cpp, common/runtime/process.cpp.
 *
 * Two stages claim the role, in any order and again after a refusal. A stage may hang at any
 * moment and wake up again, die at any moment, and fork a child that keeps the lock's descriptor. A
 * supervisor sees a missing heartbeat and kills; a tool asks who holds the lock.
 *
 * Promise: a segment never has two writers. And: whoever waits for a dead holder's role gets it.
 *
 * Assumed of the kernel: an OFD lock belongs to the open file description and goes with its last
 * descriptor; a dying process loses its mappings (exit_mm) before its descriptors (exit_files); a
 * pidfd names one process for ever, a pid only until it is reaped.
 *
 * Mutants, each of which must fail: MAP_BEFORE_LOCK, TAKEOVER_ON_HEARTBEAT, MAPPING_IN_CHILD,
 * POSIX_LOCK, UNLINKED_BY_HOLDER, NO_INODE_CHECK, KILL_BY_PID, NO_LOCK.
 */

#define STAGES 2
#define FREE 255

/* --- the kernel ------------------------------------------------------------------------------ */
byte holder[3] = FREE;      /* of the lock on inode i: the open file description, one per stage */
byte name = 0;              /* the inode behind <dir>/locks/<role>; 3: there is none */
byte inodes = 1;            /* made so far */
byte descriptors[STAGES];   /* of each stage's open file description, its children's included */
byte inode_of[STAGES];      /* what its description is open on */
bool mapped[STAGES];        /* the segment, writable */
bool killed[STAGES];
bool gone[STAGES];          /* dead and reaped: its pid may name somebody else */
bool beating[STAGES];       /* heartbeat in its page, RoleLock text: information, no proof */

byte writer = FREE;         /* who is between two stores of one record */
bool over;                  /* the supervisor has stopped: nobody wakes a hung stage any more */

/* Two stores into the segment with time between them: StdAtomics::store_release twice. */
inline write(me) {
  atomic { assert(writer == FREE); writer = me };
  writer = FREE
}

/* exit_mm: the mapping goes. */
inline lose_mapping(me) {
  atomic {
    mapped[me] = false;
    if
    :: writer == me -> writer = FREE
    :: else
    fi
  }
}

/* exit_files, or close(): the last descriptor takes the lock with it. */
inline close_one(me) {
  atomic {
    descriptors[me]--;
    if
    :: descriptors[me] == 0 && holder[inode_of[me]] == me -> holder[inode_of[me]] = FREE
    :: else
    fi
  }
}

/* --- a child forked against the rule of role.hpp, invariant 4 -------------------------------- */
proctype Child(byte parent) {
#ifdef MAPPING_IN_CHILD           /* region.cpp without MADV_DONTFORK */
  write(STAGES + parent);
#endif
  close_one(parent)               /* it ends, or execs: O_CLOEXEC */
}

/* --- a stage: common/runtime/stage.cpp, Stage::Stage ------------------------------------------ */
proctype Stage(byte me) {
  bool forked = false;
  bool lock_is_mine = false;
  {
#ifdef MAP_BEFORE_LOCK
    mapped[me] = true;
    write(me);
#endif
    skip;                                 /* the process starts */
again:
    /* RoleLock::acquire: open(O_RDWR | O_CREAT | O_CLOEXEC) */
    atomic {
      if
      :: name == 3 -> inodes < 3; name = inodes; inodes++
      :: else
      fi;
      inode_of[me] = name;
      descriptors[me] = 1
    };
    /* fcntl(F_OFD_SETLK) */
    atomic {
      if
#ifdef NO_LOCK
      :: true -> lock_is_mine = true
#else
      :: holder[inode_of[me]] == FREE -> holder[inode_of[me]] = me; lock_is_mine = true
      :: holder[inode_of[me]] != FREE && holder[inode_of[me]] != me -> lock_is_mine = false
#endif
      fi
    };
    if
    :: !lock_is_mine ->
       descriptors[me] = 0;               /* close(): this description never had the lock */
#ifdef TAKEOVER_ON_HEARTBEAT
       if
       :: !beating[1 - me] -> goto serve  /* "it has not beaten for a while, so it is dead" */
       :: beating[1 - me]
       fi;
#endif
       goto again                         /* exit code 75: the supervisor starts it again */
    :: lock_is_mine
    fi;
#ifndef NO_INODE_CHECK
    /* fstat against the name: a lock on a file without a name excludes nobody */
    if
    :: name != inode_of[me] -> close_one(me); goto again
    :: name == inode_of[me]
    fi;
#endif
serve:
    /* attach_segment: verify_owner, then kReadWrite */
    mapped[me] = true;
    beating[me] = true;
    do
    :: write(me)
    :: !forked && descriptors[me] > 0 ->
       atomic { forked = true; descriptors[me]++; run Child(me) }
    :: beating[me] = false;               /* hangs, or SIGSTOP … */
       (!over);                           /* … and wakes up whenever it likes */
       beating[me] = true
#ifdef POSIX_LOCK
    :: atomic {                           /* RoleLock::holder opens and closes the same file: with */
         if                               /* fcntl's own locks, that drops ours */
         :: holder[inode_of[me]] == me -> holder[inode_of[me]] = FREE
         :: else
         fi
       }
#endif
    :: break
    od;
    /* a clean end: Region's destructor before RoleLock's */
#ifdef UNLINKED_BY_HOLDER
    atomic {                              /* tidying up behind itself, while it still writes */
      if
      :: name == inode_of[me] -> name = 3
      :: else
      fi
    };
    write(me);
#endif
    mapped[me] = false;
    if
    :: descriptors[me] > 0 -> close_one(me)
    :: else                               /* only a mutant gets here without one */
    fi;
    goto ended
  } unless { killed[me] };
  lose_mapping(me);
  if
  :: descriptors[me] > 0 -> close_one(me)
  :: else
  fi;
  goto ended;
ended:
  beating[me] = false;
  gone[me] = true
}

/* --- the supervisor: tools/sluicectl/up.cpp, ChildProcess ------------------------------------- */
proctype Supervisor() {
  byte child = 0;
  bool reused = false;
  do
  :: child < STAGES ->
     if
     :: !gone[child] && mapped[child] && !beating[child] ->
        /* SIGKILL through the pidfd: send_through() */
        atomic {
#ifdef KILL_BY_PID
          if
          :: gone[child] -> reused = true  /* the pid was given to an innocent process */
          :: else -> killed[child] = true
          fi
#else
          killed[child] = true
#endif
        };
        assert(!reused)
     :: true
     fi;
     child++
  :: child == STAGES -> child = 0
  :: child == STAGES -> break
  od;
  /* It ends with all stages told to stop: SIGKILL after the grace period. */
  atomic { over = true; killed[0] = true; killed[1] = true }
}

/* --- somebody who removes the folder between two runs (tests do): role by role, under its lock -- */
proctype Remover() {
  byte inode;
  atomic {
    name != 3 && holder[name] == FREE && inodes < 3 -> inode = name; holder[inode] = 100
  };
  name = 3;
  holder[inode] = FREE
}

init {
  atomic {
    run Stage(0);
    run Stage(1);
    run Supervisor();
    run Remover()
  };
  /* Everybody is gone: no lock is left behind, whatever way they died. */
  (gone[0] && gone[1] && over && _nr_pr == 1);
  assert(holder[0] == FREE && holder[1] == FREE && holder[2] == FREE)
}

/*
 * Conflation across the death of its producer: shm/conflation.hpp.
 *
 * A producer with two rows offers numbered changes into a ring of few slots, settles now and then,
 * and may die between any two of its steps; its successor knows nothing of the rows until they
 * change again. A consumer takes records whenever it likes.
 *
 * Promises: every record behind a loss is announced as such, and the losses told add up; no change
 * is told twice; at quiescence each row of the consumer equals the producer's, or the consumer
 * knows that it is after a gap.
 *
 * The ring itself is taken as a queue that loses nothing: that is what the model under relacy shows
 * (model_test). A record that was pushed outlives its producer, private memory does not. A row whose
 * change was offered has a snapshot.
 *
 * Mutants, each of which must fail: NO_OPENING, OPENING_DROPPED, NO_FLAG, PASSES_A_LOSS,
 * FORGETS_THE_ROW, SNAPSHOT_DROPPED, GAP_FORGOTTEN, SNAPSHOT_BEFORE_GAP, SETTLES_INSIDE_AN_EVENT;
 * and TWO_SLOTS, which is why kMinSlots is four: a gap and the record it names must fit at once.
 */

#define ROWS 2
#ifdef TWO_SLOTS
#define SLOTS 2
#else
#define SLOTS 4              /* kMinSlots */
#endif
#define HALF (SLOTS / 2)     /* of ring_.capacity(): room for a gap and the record it names */
#ifdef LONG
#define CHANGES 8
#else
#define CHANGES 6
#endif

mtype = { change, gap, snapshot, opening };

/* kind, row, number (a gap's: of the next record), which offer of its incarnation it tells of (a
 * gap's: how many were lost), flagged after_gap */
chan ring = [SLOTS] of { mtype, byte, byte, byte, bool };

byte truth[ROWS];            /* number of each row's last change, whoever offered it */
byte number = 0;
byte incarnation = 0;
bool done = false;

/* The producer's private memory: Conflator's fields, and the rows it knows. */
byte last[ROWS];
byte offer_of[ROWS];         /* which offer the row's last change was */
bool dirty[ROWS];
bool flagged[ROWS];
byte lost;
byte offered;
bool owes_opening;

#define OWES (lost != 0 || dirty[0] || dirty[1] || owes_opening)
#define ROOM (len(ring) < SLOTS)
#define FREE_SLOTS (SLOTS - len(ring))
#define NEED ((lost != 0 -> 1 : 0) + (dirty[0] -> 1 : 0) + (dirty[1] -> 1 : 0))
#define MAY_DIE if :: true :: incarnation == 1 -> goto born fi

/* Conflator::lose */
inline lose(row) {
  lost++;
#ifndef FORGETS_THE_ROW
  dirty[row] = true
#endif
}

/* Conflator::offer, with push_flagged. One step: it publishes one record or none, and what is
 * private in it nobody else sees. */
inline offer(row) {
  atomic {
    offered++;
    offer_of[row] = offered;
    if
#ifdef PASSES_A_LOSS
    :: !owes_opening && ROOM ->
#else
    :: lost == 0 && !owes_opening && !dirty[row] && ROOM ->
#endif
       ring ! change, row, number, offered, flagged[row];
       flagged[row] = false
    :: else -> lose(row)
    fi
  }
}

inline pay_snapshot(row) {
  atomic {
    if
    :: dirty[row] ->
       if
       :: ROOM ->
          ring ! snapshot, row, last[row], offer_of[row], true;
          dirty[row] = false; flagged[row] = false
#ifdef SNAPSHOT_DROPPED
       :: !ROOM -> dirty[row] = false
#else
       :: !ROOM
#endif
       fi
    :: !dirty[row]
    fi
  };
  MAY_DIE
}

inline pay_gap() {
  atomic {
    if
    :: lost != 0 ->
       assert(ROOM);         /* settle() waited for it */
#ifndef GAP_FORGOTTEN
       ring ! gap, 0, (dirty[0] -> last[0] : (dirty[1] -> last[1] : 0)), lost, false;
#endif
       lost = 0
    :: lost == 0
    fi
  };
  MAY_DIE
}

/* Conflator::settle: pay_opening, the wait for room, pay_gap, pay_snapshots */
inline settle() {
  atomic {
    if
    :: owes_opening && ROOM -> ring ! opening, 0, 0, 0, false; owes_opening = false
    :: else
    fi
  };
  MAY_DIE;
  if
  :: !owes_opening && (FREE_SLOTS >= NEED || FREE_SLOTS >= HALF) ->
#ifdef SNAPSHOT_BEFORE_GAP
     pay_snapshot(0);
     pay_snapshot(1);
     pay_gap()
#else
     pay_gap();
     if
     :: lost == 0 -> pay_snapshot(0); pay_snapshot(1)
     :: lost != 0
     fi
#endif
  :: else
  fi
}

proctype Producer() {
  byte row;
born:
  skip;
  /* A new process: empty memory, then Conflator::open. */
  d_step {
    incarnation++;
    lost = 0; offered = 0;
    for (row : 0 .. ROWS - 1) {
      last[row] = 0;
      offer_of[row] = 0;
      dirty[row] = false;
#ifdef NO_FLAG
      flagged[row] = false
#else
      flagged[row] = true
#endif
    };
    row = 0;
#ifdef NO_OPENING
    owes_opening = (incarnation == 1)
#else
    owes_opening = true
#endif
  };
  atomic {
    if
    :: owes_opening && ROOM -> ring ! opening, 0, 0, 0, false; owes_opening = false
    :: else
    fi;
#ifdef OPENING_DROPPED
    owes_opening = false
#endif
  };
  do
  :: number < CHANGES ->
     /* An event: the row's state changes … */
     atomic {
       if
       :: row = 0
       :: row = 1
       fi;
       number++;
       truth[row] = number;
       last[row] = number
     };
     MAY_DIE;
#ifdef SETTLES_INSIDE_AN_EVENT
     settle();
#endif
     /* … and is told. */
     offer(row);
     MAY_DIE
  :: OWES -> settle()
  :: number == CHANGES && !OWES -> break
  od;
  done = true
}

/* Any consumer that keeps rows. */
proctype Consumer() {
  mtype kind;
  byte row;
  byte n;
  byte count;
  bool flag;
  byte known[ROWS];
  bool after_gap[ROWS];
  byte taken = 0;            /* changes of this incarnation */
  byte told = 0;             /* losses of this incarnation */
  byte announced = 0;        /* what a gap said comes next */
  do
  :: atomic {
       ring ? kind, row, n, count, flag ->
       if
       :: kind == opening ->
          after_gap[0] = true; after_gap[1] = true;
          taken = 0; told = 0; announced = 0
       :: kind == gap -> assert(count > 0); told = told + count; announced = n
       :: kind == snapshot ->
          assert(announced == 0 || announced == n);
          assert(n >= known[row]);
          /* It tells of nothing that is not accounted for: told before, or announced as lost. */
          assert(count <= taken + told);
          announced = 0;
          known[row] = n; after_gap[row] = false
       :: kind == change ->
          taken++;
          assert(taken + told == count);
          assert(announced == 0 || announced == n);
          assert(n > known[row]);
          assert(flag || !after_gap[row]);
          announced = 0;
          known[row] = n; after_gap[row] = false
       fi;
       kind = 0; row = 0; n = 0; count = 0; flag = false
     }
  :: atomic {
       done && empty(ring) ->
       assert(known[0] == truth[0] || after_gap[0]);
       assert(known[1] == truth[1] || after_gap[1]);
       break
     }
  od
}

init {
  atomic { run Producer(); run Consumer() }
}

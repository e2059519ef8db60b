/*
 * Creating a layout, attaching to it, and doing both again: shm/layout.cpp, shm/instance.cpp,
 * shm/layout_state.cpp, common/runtime/stage.cpp.
 *
 * Two `sluicectl` processes create or destroy, and may die after every step; two stages and a tool
 * attach meanwhile (LONG: three, and more deaths and attempts). Names: 0 the control segment, 1 and
 * 2 segments. Roles: one per stage, and the operator's.
 *
 * Promises: whoever runs has the control segment and all segments of one creation, each of them
 * whole; two stages never run on different creations; where a control segment stands, its layout
 * stands; a dead creation is no hindrance for the next; attaching ends.
 *
 * Assumed: rename and unlink are atomic; the wall clock gives no nanosecond twice while no layout
 * stands (while one stands, its generation is exceeded whatever the clock says).
 *
 * Mutants, each of which must fail: CONTROL_FIRST, REMOVE_CONTROL_LAST, NO_GENERATION_CHECK,
 * GENERATION_FROM_CLOCK, NO_ROLES_AT_CREATE, LEFT_TEMPORARY, and IN_PLACE with NO_READY_CHECK.
 * Either of the last two alone holds, they guard each other; and so does ATTACH_BEFORE_ROLE, which the
 * generation check makes up for.
 */

#define NAMES 3
#define ROLES 3
#define OPERATOR 2
#define NOBODY 255
#ifdef LONG
#define DEATHS 2
#define ATTEMPTS 3
#else
#define DEATHS 1
#define ATTEMPTS 2
#endif

/* The folder: what stands behind each name. The build is what the generation stands for, and what
 * nobody in the system can see. */
bool there[NAMES];
bool whole[NAMES];          /* filled, its ready word stored */
byte generation[NAMES];
byte build[NAMES];
bool temporary[NAMES];      /* "<name>.tmp" exists */

byte role[ROLES] = NOBODY;  /* the lock files; a process that ends, however it ends, gives them back */
byte newest = 0;            /* generation */
byte builds = 0;
byte runs_on[2];            /* build a stage runs on; 0: it does not run */
byte deaths = 0;

/* A creator may die after each step; and where a control segment stands, its layout stands. */
#define LAYOUT_STANDS (!there[0] || (there[1] && there[2] && whole[1] && whole[2] && \
                                     build[1] == build[0] && build[2] == build[0]))
#define MAY_DIE                                    \
  if                                               \
  :: assert(LAYOUT_STANDS)                         \
  :: deaths < DEATHS -> deaths++; goto ended       \
  fi

inline give_back_roles(who) {
  atomic {
    r = 0;
    do
    :: r < ROLES ->
       if
       :: role[r] == who -> role[r] = NOBODY
       :: else
       fi;
       r++
    :: r == ROLES -> break
    od
  }
}

/* unlink() of a file and of what a dead creation left under its temporary name */
inline remove(which) {
  atomic {
    there[which] = false;
#ifndef LEFT_TEMPORARY
    temporary[which] = false
#endif
  };
  MAY_DIE
}

/* Builder::add */
inline add(which) {
#ifdef IN_PLACE
  atomic {
    there[which] = true; whole[which] = false; generation[which] = mine; build[which] = made
  };
  MAY_DIE;
  whole[which] = true
#else
  atomic { assert(!temporary[which]); temporary[which] = true };   /* Region::create: O_EXCL */
  MAY_DIE;                                                         /* filled, ready word stored */
  atomic {                                                         /* rename */
    temporary[which] = false;
    there[which] = true; whole[which] = true; generation[which] = mine; build[which] = made
  };
#endif
  MAY_DIE
}

/* create_layout or destroy_layout */
proctype Creator(byte me) {
  byte r;
  byte mine;
  byte made;
  byte old = 0;
#ifndef NO_ROLES_AT_CREATE
  /* take_all_roles */
  byte next = 0;
  do
  :: next < ROLES ->
     atomic {
       if
       :: role[next] == NOBODY -> role[next] = me
       :: else -> goto ended            /* Error(kRoleTaken): nothing was touched */
       fi
     };
     next++
  :: next == ROLES -> break
  od;
#else
  atomic { role[OPERATOR] == NOBODY -> role[OPERATOR] = me };
#endif
  /* inspect_layout */
  atomic {
    if
    :: there[0] -> old = generation[0]
    :: else
    fi
  };
  /* remove_segments: segment_files() has the control segment first */
#ifdef REMOVE_CONTROL_LAST
  remove(1); remove(2); remove(0);
#else
  remove(0); remove(1); remove(2);
#endif
  if
  :: goto ended                           /* destroy_layout ends here */
  :: true
  fi;
  /* max(now, old + 1) */
  atomic {
    builds++;
    made = builds;
#ifdef GENERATION_FROM_CLOCK
    if
    :: old != 0 -> mine = old             /* the clock was set back to then */
    :: newest++; mine = newest
    fi;
#else
    newest++;
    mine = newest
#endif
  };
#ifdef CONTROL_FIRST
  add(0); add(1); add(2);
#else
  add(1); add(2); add(0);
#endif
ended:
  give_back_roles(me)
}

/* open_ready, copy_header, verify_format: what an attach sees of a file, or `failed` */
inline look(which, g, b) {
  atomic {
    if
    :: !there[which] -> goto failed                   /* kNotYet */
    :: there[which] -> g = generation[which]; b = build[which]
    fi;
    if
#ifndef NO_READY_CHECK
    :: !whole[which] -> goto failed                   /* kNotYet */
#else
    :: !whole[which] -> half = true
#endif
    :: whole[which]
    fi
  }
}

inline attach_segment(which) {
  look(which, g, b);
#ifndef NO_GENERATION_CHECK
  if
  :: g != control_generation -> goto failed           /* kWrongGeneration */
  :: g == control_generation
  fi;
#endif
  mixed = mixed || b != control_build
}

/* Stage::Stage: wait for a layout, take the role, then attach under it */
proctype Stage(byte me) {
  byte r;
  byte g;
  byte b;
  byte control_generation;
  byte control_build;
  bool mixed = false;
  bool half = false;
  byte attempts = 0;
start:
  if                                                  /* Instance::attach waits, … */
  :: there[0]
  :: goto ended                                       /* … but not for ever */
  fi;
#ifdef ATTACH_BEFORE_ROLE
  look(0, control_generation, control_build);
#endif
  atomic {                                            /* RoleLock::acquire */
    if
    :: role[me] == NOBODY -> role[me] = me
    :: else -> goto failed
    fi
  };
#ifndef ATTACH_BEFORE_ROLE
  look(0, control_generation, control_build);
#endif
  attach_segment(1);
  attach_segment(2);
  atomic {
    assert(!mixed && !half);
    runs_on[me] = control_build;
    assert(runs_on[1 - me] == 0 || runs_on[1 - me] == control_build)
  };
  goto ended;
failed:
  give_back_roles(me);
  g = 0; b = 0; control_generation = 0; control_build = 0; mixed = false; half = false;
  attempts++;                                         /* exit code 73 or 75: started again */
  if
  :: attempts < ATTEMPTS -> goto start
  :: else
  fi;
ended:
  runs_on[me] = 0;
  give_back_roles(me)
}

/* RingProbe, StageView, BoardReader: no role at all */
proctype Tool() {
  byte g;
  byte b;
  byte control_generation;
  byte control_build;
  bool mixed = false;
  bool half = false;
  look(0, control_generation, control_build);
  attach_segment(1);
  attach_segment(2);
  assert(!mixed && !half);
failed:
  g = 0; b = 0; control_generation = 0; control_build = 0
}

init {
  atomic {
    run Creator(10);
    run Creator(11);
#ifdef LONG
    run Creator(12);
#endif
    run Stage(0);
    run Stage(1);
    run Tool()
  }
}

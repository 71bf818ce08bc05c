/*
 * The lease `servers` with two agents and three voters, for SPIN: never do two agents act.
 *
 * Time goes in ticks; each agent has its own clock. What may happen, at any moment:
 *   lost       a voter lets go of a lock and nobody learns of it: its timer, a restart, a killed
 *              session. So the voters' clocks need no model, and no bound either
 *   pause      an agent does nothing while time passes, and wakes with what it believed before
 *   partition  an agent is cut off from all voters (from some: it does nothing with those, which
 *              every run may choose), while its lease runs on
 *   crash      an agent forgets everything; its locks stay until the voters let go
 *   drift      once in DRIFT_PERIOD ticks each clock may miss a tick or show one too many
 *
 * A proof counts here from when the voter gives it; the program counts from when it asked, which is
 * earlier. A grant counts from when the voter gives it; the program counts from when it read the
 * answer, which is later. So whatever the program may do, an agent of this model may do too.
 *
 * -DMARGIN=N  the holder stops so many ticks before TTL; needs 2 of drift and 1 to stop
 * -DSETTLE=N  a new vote counts so many ticks after it was granted; needs TTL
 */
#ifndef TTL
#define TTL 4
#endif
#ifndef MARGIN
#define MARGIN 3
#endif
#ifndef SETTLE
#define SETTLE TTL
#endif
#define STOP 1 /* what was begun under the lease may go on for so many ticks */
#define DRIFT_PERIOD TTL
#define VOTERS 3
#define NEEDED 2
#define NOBODY 2

/* A proof allows to begin something while it is younger than TTL - MARGIN; what was begun has ended
 * when the proof is this old. */
#define ACTING (TTL - MARGIN + STOP)
#define NONE 15 /* the agent believes that it has no lock there */

byte owner[VOTERS]; /* who has the lock, as the voter knows */
/* What agent a believes of voter v, ages on its own clock. */
byte proofs[6]; /* age of the last proof, ACTING when it is worthless, or NONE */
byte grants[6]; /* age of the vote, up to SETTLE */
#define proof(a, v) proofs[(a) * VOTERS + (v)]
#define grant(a, v) grants[(a) * VOTERS + (v)]

/* Which agent is paused, or cut off from every voter: it hears of nothing while its clock goes on.
 * That it may act meanwhile, as one that is cut off may, is assumed of both. */
byte deaf = NOBODY;
byte steady; /* ticks since the clocks were wrong, up to DRIFT_PERIOD */

#define vote(a, v) (proof(a, v) < ACTING && grant(a, v) >= SETTLE)
#define acts(a) (vote(a, 0) + vote(a, 1) + vote(a, 2) >= NEEDED)

hidden byte k, t;

inline forget(a, v) {
    proof(a, v) = NONE;
    grant(a, v) = 0
}

inline swap(x, y) {
    t = x;
    x = y;
    y = t
}

/* The voters are alike: only one order of them is kept. */
#define weight(v) \
    (owner[v] + 4 * (proof(0, v) + 16 * (grant(0, v) + 16 * (proof(1, v) + 16 * grant(1, v)))))
inline in_order(v, w) {
    if
    :: weight(v) > weight(w) ->
        swap(owner[v], owner[w]);
        swap(proof(0, v), proof(0, w));
        swap(grant(0, v), grant(0, w));
        swap(proof(1, v), proof(1, w));
        swap(grant(1, v), grant(1, w))
    :: else
    fi
}

/* So are the agents. */
#define burden(a) \
    (proof(a, 0) + proof(a, 1) + proof(a, 2) + 64 * (grant(a, 0) + grant(a, 1) + grant(a, 2)))
#define other(a) (a == NOBODY -> NOBODY : 1 - a)
inline agents_in_order() {
    if
    :: burden(0) > burden(1) || (burden(0) == burden(1) && deaf == 1) ->
        k = 0;
        do
        :: k < VOTERS ->
            swap(proof(0, k), proof(1, k));
            swap(grant(0, k), grant(1, k));
            owner[k] = other(owner[k]);
            k++
        :: else -> break
        od;
        deaf = other(deaf);
        k = 0
    :: else
    fi
}

/* A worthless proof of a lock that is another's is no different from none. */
inline tidy(a, v) {
    if
    :: proof(a, v) == ACTING && owner[v] != a -> forget(a, v)
    :: else
    fi
}

/* Ends every step. */
inline judge() {
    assert(!(acts(0) && acts(1)));
    tidy(0, 0); tidy(0, 1); tidy(0, 2);
    tidy(1, 0); tidy(1, 1); tidy(1, 2);
    agents_in_order();
    in_order(0, 1);
    in_order(1, 2);
    in_order(0, 1)
}

inline age(a, ticks) {
    k = 0;
    do
    :: k < VOTERS ->
        if
        :: proof(a, k) == NONE
        :: else ->
            proof(a, k) = proof(a, k) + ticks;
            grant(a, k) = grant(a, k) + ticks;
            if
            :: proof(a, k) > ACTING -> proof(a, k) = ACTING
            :: else
            fi;
            if
            :: grant(a, k) > SETTLE -> grant(a, k) = SETTLE
            :: else
            fi
        fi;
        k++
    :: else -> break
    od;
    k = 0
}

inline tick(first, second) {
    age(0, first);
    age(1, second);
    if
    :: first != 1 || second != 1 -> steady = 1
    :: else -> steady = (steady < DRIFT_PERIOD -> steady + 1 : DRIFT_PERIOD)
    fi;
    judge()
}

active proctype time() {
    do
    :: d_step { tick(1, 1) }
    :: d_step { steady == DRIFT_PERIOD -> tick(0, 1) }
    :: d_step { steady == DRIFT_PERIOD -> tick(0, 2) }
    :: d_step { steady == DRIFT_PERIOD -> tick(1, 0) }
    :: d_step { steady == DRIFT_PERIOD -> tick(1, 2) }
    :: d_step { steady == DRIFT_PERIOD -> tick(2, 0) }
    :: d_step { steady == DRIFT_PERIOD -> tick(2, 1) }
    od
}

inline lose(v) {
    d_step { owner[v] != NOBODY -> owner[v] = NOBODY; judge() }
}

active proctype voters() {
    do
    :: lose(0)
    :: lose(1)
    :: lose(2)
    od
}

/* Asks for the lock, or for a proof, and believes what it hears. */
inline ask(a, v) {
    d_step {
        deaf != a &&
        !(owner[v] == 1 - a && proof(a, v) == NONE) && !(owner[v] == a && proof(a, v) == NONE) ->
        if
        :: proof(a, v) == NONE -> owner[v] = a; proof(a, v) = 0; grant(a, v) = 0
        :: proof(a, v) != NONE && owner[v] == a -> proof(a, v) = 0
        :: else -> forget(a, v)
        fi;
        judge()
    }
}

/* Gives the lock back; never while it acts. */
inline release(a, v) {
    d_step {
        deaf != a && owner[v] == a && proof(a, v) != NONE && !acts(a) ->
        owner[v] = NOBODY;
        forget(a, v);
        judge()
    }
}

inline crash(a) {
    d_step {
        proof(a, 0) != NONE || proof(a, 1) != NONE || proof(a, 2) != NONE || deaf == a ->
        forget(a, 0);
        forget(a, 1);
        forget(a, 2);
        deaf = (deaf == a -> NOBODY : deaf);
        judge()
    }
}

proctype agent(byte a) {
    do
    :: ask(a, 0)
    :: ask(a, 1)
    :: ask(a, 2)
    :: release(a, 0)
    :: release(a, 1)
    :: release(a, 2)
    :: crash(a)
    :: d_step { deaf == NOBODY -> deaf = a; judge() }
    :: d_step { deaf == a -> deaf = NOBODY; judge() }
    od
}

init {
    d_step {
        steady = DRIFT_PERIOD;
        k = 0;
        do
        :: k < VOTERS ->
            owner[k] = NOBODY;
            forget(0, k);
            forget(1, k);
            k++
        :: else -> break
        od;
        k = 0
    }
    atomic {
        run agent(0);
        run agent(1)
    }
}

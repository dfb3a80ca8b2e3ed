// What the panel in Dash's dev tools knows: it asks the server, and counts what the page's callbacks do. In debug mode only.
(function () {
    "use strict";

    const SOON = 300; // milliseconds between a callback and the look at what it changed
    const MOST_UNKNOWN = 100; // number of tokens, of no store of the page, that one look asks the sizes of
    const MOST = 1000; // number of tokens that one look asks for
    const TOKEN = /db1\.[0-9a-f]{8}\.[sanm][0-9a-f]{32}\.[\w-]{43}/g;
    const ID = "_dash-brain-panel";
    const NO_SESSION = "This browser sends no session with its requests: it refuses the cookie, or the page stands in a frame of another site.";

    const page = () => window.dash_brain.page;

    // --- the server's answers

    const latest = {shown: null, trouble: ""}; // its latest answer; why there is none
    const lastTokens = new Map(); // key of a store -> its latest token, also when the page has cleared it since
    let isLooking = false;
    let pause = null;
    let changed = () => {}; // called after each look

    const ask = (question) => page().ask(ID, "question", JSON.stringify(question), "panel");

    function stores() {
        return page().held().map((store) => {
            lastTokens.set(store.key, store.token || lastTokens.get(store.key));
            return {...store, last: lastTokens.get(store.key)};
        });
    }

    async function look() {
        clearTimeout(pause);
        pause = null;
        if (isLooking) {
            return soon();
        }
        isLooking = true;
        try {
            Object.assign(latest, await answer(stores()));
        } catch (error) {
            Object.assign(latest, {shown: null, trouble: "The server does not answer."});
        } finally {
            isLooking = false;
            changed();
        }
    }

    async function answer(asked) {
        const held = [...asked.map(({last}) => last || ""), ...unknown()].slice(0, MOST);
        const response = await ask({do: "look", page: page().name, held});
        if (!response.ok) {
            return {shown: null, trouble: `The server answers with status ${response.status}.`};
        }
        const shown = await response.json();
        if (shown.refused) {
            return {shown: null, trouble: NO_SESSION};
        }
        held.forEach((token, place) => learn(token, shown.held[place]));
        return {shown: {...shown, stores: asked}, trouble: ""};
    }

    function soon() {
        pause = pause || setTimeout(look, SOON);
    }

    // --- what did not go over the wire: the values of the tokens in callbacks and in their answers

    const carried = new Map(); // token -> how often it went over the wire
    const sizes = new Map(); // token -> bytes of its value, 0 when it was gone before they were known

    const unknown = () => Array.from(carried.keys()).filter((token) => !sizes.has(token)).slice(-MOST_UNKNOWN);

    function learn(token, row) {
        if (row.bytes || !sizes.has(token)) {
            sizes.set(token, row.bytes || 0);
        }
    }

    function note(text) {
        const found = typeof text === "string" ? text.match(TOKEN) || [] : [];
        found.forEach((token) => carried.set(token, (carried.get(token) || 0) + 1));
        if (found.length) {
            soon();
        }
    }

    function spared() {
        const known = Array.from(carried, ([token, times]) => ({times, bytes: sizes.get(token)})).filter(({bytes}) => bytes);
        const sum = (values) => values.reduce((one, other) => one + other, 0);
        return {times: sum(known.map(({times}) => times)), bytes: sum(known.map(({times, bytes}) => times * bytes))};
    }

    // --- what callbacks read and stored, which the server says in the header Server-Timing

    const TIMING = /dash_brain_(\w+);dur=([\d.]+);desc="dash_brain [a-z ]+: (\d+)/g;
    const nothing = () => ({count: 0, milliseconds: 0});
    const done = {get: nothing(), put: nothing(), hit: nothing(), miss: nothing()};

    function add(header) {
        Array.from((header || "").matchAll(TIMING)).forEach(([, what, milliseconds, count]) => {
            done[what].count += Number(count);
            done[what].milliseconds += Number(milliseconds);
        });
    }

    // --- the requests of callbacks

    const fetched = window.fetch;
    window.fetch = (...asked) => {
        const [address, options] = asked;
        const {body, headers} = options || {}; // they may be null
        const answered = fetched.apply(window, asked);
        if (String(address).includes("_dash-update-component") && !new Headers(headers).has("X-Dash-Brain")) {
            note(body);
            answered.then(read).catch(() => {});
        }
        return answered;
    };

    async function read(response) {
        add(response.headers.get("Server-Timing"));
        note(await response.clone().text()); // the renderer reads the response itself
    }

    const follow = (follower) => {
        changed = follower;
    };
    window.dash_brain.watch = {ask, look, latest, done, spared, follow};
})();

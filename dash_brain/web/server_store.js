// ServerStore in the browser: a dcc.Store that holds a token, and a page that says which tokens it holds.
(function () {
    "use strict";

    // All times are in milliseconds.
    const BEAT = 4 * 60 * 1000; // between claims of a page in which nothing changes
    const PAUSE = 100; // in which changes are gathered into one claim
    const PATIENCE = 30 * 1000; // for an answer; and the longest pause before a failed claim is tried again
    const UNMOUNTED = 100; // so many stores that are in no page are remembered for when they come back

    const page = Array.from(window.crypto.getRandomValues(new Uint8Array(16)))
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("");
    const stores = new Map(); // key of the component's id -> what it holds
    let dropped = []; // tokens that the page held and holds no more, since its last claim
    let turn = 0;
    let pause = null;
    let underWay = false;
    let failures = 0;
    let user = null; // a name that the server has for who is logged in, null: nobody that it knows of
    let begun = 0; // answers in a row that began a session: the browser did not show the one before

    // A claim goes the way of a callback, as one more of them: what lets those through lets it through.
    const ROUTE = "_dash-update-component";
    const COMPONENT = "_dash-brain-claim";
    const AT_ONCE = 60 * 1000; // bytes that browsers send for a page that goes: 64 KB
    let carried = []; // headers of the renderer's latest request

    function config() {
        return JSON.parse(document.getElementById("_dash-config").textContent);
    }

    function url({requests_pathname_prefix, end_id}) {
        // The secret of this page, which Dash too shows with every callback: for sessions without a cookie.
        return requests_pathname_prefix + ROUTE + (end_id ? "?endId=" + encodeURIComponent(end_id) : "");
    }

    // The renderer's, with the token against forgery as it is now, and one that only scripts of this site can send.
    // No session begins with a page's last claim: its cookie would take the place of the next page's.
    function headers({csrf_token_name = "_csrf_token", csrf_header_name = "X-CSRFToken"}, isLast) {
        const all = new Headers(carried);
        const token = cookie(csrf_token_name);
        if (token) {
            all.set(csrf_header_name, token);
        }
        all.set("Accept", "application/json");
        all.set("Content-Type", "application/json");
        all.set("X-Dash-Brain", isLast ? "last claim" : "claim");
        return all;
    }

    function cookie(name) {
        try {
            const found = document.cookie.split("; ").find((one) => one.startsWith(name + "="));
            return found && decodeURIComponent(found.slice(name.length + 1));
        } catch (error) {
            return null; // a frame that may not look at cookies, or a cookie in another form
        }
    }

    function post(told, options) {
        const own = config();
        return window.fetch(url(own), {
            method: "POST",
            body: asCallback(told),
            headers: headers(own, told.state !== "open"),
            credentials: "same-origin",
            ...options,
        });
    }

    function asCallback(told) {
        const claim = {id: COMPONENT, property: "claim", value: JSON.stringify(told)};
        return JSON.stringify({
            output: COMPONENT + ".data",
            outputs: {id: COMPONENT, property: "data"},
            inputs: [claim],
            changedPropIds: [COMPONENT + ".claim"],
            state: [],
        });
    }

    function claimed(stores, state) {
        const held = stores.map(({id, mark, token, kind}) => ({id, mark, token, kind}));
        const all = {page, turn: ++turn, state, held, dropped};
        dropped = [];
        return all;
    }

    // One claim after the other: a second one must not overtake the first.
    async function claim() {
        pause = null;
        if (underWay) {
            return soon();
        }
        underWay = true;
        const held = Array.from(stores.values(), (store) => ({...store}));
        const lost = dropped.slice();
        try {
            const said = await answer(claimed(held, "open"));
            user = said.user || null;
            const left = Array.from(stores.values()).filter((store) => store.kind !== "memory" && store.user !== user);
            left.forEach((store) => store.leave && store.leave(user));
            const keys = new Set(left.map((store) => store.key));
            said.dead.map((place) => held[place]).filter(({key}) => !keys.has(key)).forEach(clear);
            failures = 0;
            watch(said.began);
        } catch (error) {
            dropped = lost.concat(dropped);
            failures += 1;
            console.warn("dash_brain: the server does not learn what this page holds:", error.message);
            soon(Math.min(PATIENCE, 1000 * 2 ** failures));
        } finally {
            underWay = false;
        }
    }

    async function answer(told) {
        const abort = new AbortController();
        const timeout = setTimeout(() => abort.abort(), PATIENCE);
        try {
            const response = await post(told, {signal: abort.signal});
            if (!response.ok) {
                throw new Error(`status ${response.status}`);
            }
            return await response.json();
        } finally {
            clearTimeout(timeout);
        }
    }

    // One session may begin with a claim, that of a page which outlived its key; the next claim shows it.
    function watch(began) {
        begun = began ? begun + 1 : 0;
        if (begun === 1) {
            soon();
        }
        if (begun === 2) {
            tellOfCookies();
        }
    }

    function tellOfCookies() {
        const note = document.createElement("div");
        note.setAttribute("role", "alert");
        note.className = "dash-brain-no-cookies";
        note.style.cssText =
            "padding:10px 16px;background:#7c2d12;color:#fff;" +
            "font:14px/1.5 system-ui,sans-serif;text-align:center";
        const framed = window.top !== window.self;
        note.textContent =
            "This browser refuses the cookie of this page, so the server cannot keep data for you: parts of the " +
            "page may stay empty. Allow cookies for this site and reload" +
            (framed ? ", or open the page outside of this frame." : ".");
        document.body.prepend(note);
    }

    function soon(delay = PAUSE) {
        pause = pause || setTimeout(claim, delay);
    }

    function now() {
        if (stores.size) {
            soon();
        }
    }

    // A dead token is cleared, unless another has taken its place meanwhile.
    function clear(claimed) {
        const store = stores.get(claimed.key);
        if (store && store.token === claimed.token && store.setProps) {
            store.setProps({data: null});
        }
    }

    function drop(store) {
        if (store && store.token) {
            dropped.push(store.token);
        }
    }

    function hold(store) {
        const before = stores.get(store.key);
        if (before && before.token !== store.token) {
            drop(before);
        }
        stores.set(store.key, store);
        if (!before || !before.setProps || before.token !== store.token) {
            soon();
        }
    }

    // What sessionStorage and localStorage keep comes back when the component does.
    function letGo(key) {
        const store = stores.get(key);
        if (!store) {
            return;
        }
        if (store.kind === "memory") {
            drop(store);
            stores.delete(key);
        } else {
            stores.delete(key);
            stores.set(key, {...store, setProps: null, leave: null}); // the latest comes last
            const unmounted = Array.from(stores.values()).filter((one) => !one.setProps);
            unmounted.slice(0, -UNMOUNTED).forEach((one) => stores.delete(one.key));
        }
        soon();
    }

    // Browsers that block cookies throw at the mere look at a storage, and dcc.Store with them.
    function usable(kind) {
        try {
            return kind === "memory" || window[`${kind}Storage`] ? kind : "memory";
        } catch (error) {
            return "memory";
        }
    }

    function ServerStore({mark, user: servedFor, storage_type = "memory", ...given}) {
        const props = {clear_data: false, modified_timestamp: -1, ...given, storage_type: usable(storage_type)};
        const {useEffect, useRef, useState, createElement} = window.React;
        const key = JSON.stringify(props.id);
        // What a user keeps in the browser stays his when another one logs in, who has a place of his own.
        const [place, setPlace] = useState({user: servedFor || user, isLeft: false});
        const mounted = useRef(false);
        const early = useRef(null); // what dcc.Store found in the browser's storage while it was mounted

        function tell(data) {
            const token = data === undefined ? null : data;
            const leave = (next) => setPlace({user: next, isLeft: true});
            hold({key, id: props.id, mark, token, kind: props.storage_type, setProps: props.setProps, user: place.user, leave});
        }

        // Dash need not render us again for what dcc.Store reports by itself.
        function setProps(changed) {
            if ("data" in changed && mounted.current) {
                tell(changed.data);
            } else if ("data" in changed) {
                early.current = changed.data;
            }
            props.setProps(changed);
        }

        useEffect(() => {
            tell(mounted.current ? props.data : early.current || props.data);
            mounted.current = true;
        });
        useEffect(() => () => letGo(key), [key]);
        // dcc.Store is gone by now, which would write to the place that is left.
        useEffect(() => {
            if (place.isLeft && (props.data === null || props.data === undefined)) {
                setPlace({...place, isLeft: false});
            } else if (place.isLeft) {
                early.current = null;
                props.setProps({data: null});
            }
        });
        if (place.isLeft) {
            return null;
        }
        const id = place.user === null || props.storage_type === "memory" ? props.id : `${key}.${place.user}`;
        return createElement(window.dash_core_components.Store, {...props, setProps, id, key: JSON.stringify(id)});
    }

    // The answer to a callback says when a token of this page was refused: others may be dead too, as when
    // the server lost its store. The claim finds out, and a page that is cleared can go on.
    const fetched = window.fetch;
    window.fetch = (...asked) => {
        const [address, {headers: sent} = {}] = asked;
        if (String(address).includes("_dash-") && sent && !new Headers(sent).has("X-Dash-Brain")) {
            carried = sent;
        }
        const answer = fetched.apply(window, asked);
        answer.then((response) => response.headers.get("X-Dash-Brain") === "refused" && now(), () => {});
        return answer;
    };

    setInterval(now, BEAT);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && now());
    window.addEventListener("pageshow", (event) => event.persisted && now());
    window.addEventListener("online", now);
    window.addEventListener("pagehide", (event) => {
        // A page that goes to the back/forward cache may be shown again, for a while.
        if (stores.size || dropped.length) {
            tellLast(event.persisted ? "parked" : "gone");
        }
    });

    // For a page that goes: it does not wait for an answer, and sends no more than browsers then do. A mark is
    // of no use any more. What is left out is let go of, but for what the browser keeps for good.
    function tellLast(state) {
        const held = Array.from(stores.values(), (store) => ({...store, mark: ""}));
        const whole = claimed(held, state);
        const lasting = {...whole, held: whole.held.filter(({kind}) => kind === "local"), dropped: []};
        const last = asCallback(whole).length < AT_ONCE ? whole : lasting;
        post(last, {keepalive: true}).catch(() => {});
    }

    window.dash_brain = window.dash_brain || {};
    window.dash_brain.ServerStore = ServerStore;
})();

// ServerStore in the browser: a dcc.Store that holds a token.
(function () {
    "use strict";

    function ServerStore(props) {
        return window.React.createElement(window.dash_core_components.Store, props);
    }

    ServerStore.defaultProps = {storage_type: "memory", clear_data: false, modified_timestamp: -1};

    window.dash_brain = window.dash_brain || {};
    window.dash_brain.ServerStore = ServerStore;
})();
